// How the bytes of dropped answers and attempts leave the disk. A file of attempts is in the order of the log, so RocksDB
// has no reason to rewrite it: it would lie there, with all that is dropped, until the retention drops it as a whole. So
// each file notes, when it is written, which accounts have much of it; and one whose dropped part has become a third or
// more is rewritten by itself. That writes at most two bytes for each that goes.
//
// An attempt after which its event was still pending is noted only until its mark has passed it for the first time: what a
// file that is written then still has of those belongs to events that are pending, and no second rewriting is worth it.

#include "storage/history_sweep.hpp"

#include "storage/partition_store_rep.hpp"

#include <rocksdb/metadata.h>
#include <rocksdb/table_properties.h>

#include <algorithm>
#include <unordered_map>

namespace vicket {

namespace {

constexpr const char* property_name = "vicket.history";
constexpr std::size_t least_answer_bytes = 128; ///< smaller records hardly have one
constexpr std::size_t left_bytes = 32;          ///< of an attempt that is dropped and settled its event
constexpr std::uint64_t least_share = 64;       ///< of a file that an account has, to be noted
constexpr std::uint64_t sweep_share = 3;        ///< of a file that is dropped, to rewrite it

/// Counts which accounts' attempts fill a file.
class history_collector final : public rocksdb::TablePropertiesCollector {
public:
  explicit history_collector(const history_marks& marks) : marks_{marks} {}

  rocksdb::Status AddUserKey(const rocksdb::Slice& key, const rocksdb::Slice& value, rocksdb::EntryType type,
                             rocksdb::SequenceNumber, std::uint64_t) override {
    sum_ += value.size();
    if (type == rocksdb::kEntryPut)
      count(codec::parse_u64({key.data(), key.size()}).value_or(0), {value.data(), value.size()});
    return rocksdb::Status::OK();
  }

  rocksdb::Status Finish(rocksdb::UserCollectedProperties* properties) override {
    auto text = std::string{};
    for (const auto& [account, bytes] : bytes_)
      if (bytes.answers + bytes.attempts >= sum_ / least_share)
        text +=
            codec::u64_bytes(account) + codec::u64_bytes(bytes.answers) + codec::u64_bytes(bytes.attempts);
    (*properties)[property_name] = std::move(text);
    return rocksdb::Status::OK();
  }

  rocksdb::UserCollectedProperties GetReadableProperties() const override { return {}; }
  const char* Name() const override { return "vicket.history_collector"; }

private:
  struct counted {
    std::uint64_t answers = 0;
    std::uint64_t attempts = 0; ///< without their answers
  };

  void count(log_sequence sequence, std::string_view record) {
    const auto account = codec::decode_account_of_attempt(record);
    if (account == 0 || codec::is_dropped_attempt(record))
      return;
    auto answer = std::size_t{0};
    if (record.size() >= least_answer_bytes)
      if (const auto shorter = codec::without_answer(record))
        answer = record.size() - shorter->size();
    auto& bytes = bytes_[account];
    bytes.answers += answer;
    const auto rest = record.size() - answer;
    if (codec::is_settling_attempt(record))
      bytes.attempts += rest - std::min(rest, left_bytes);
    else if (sequence >= marks_.of(account).attempts_from)
      bytes.attempts += rest;
  }

  const history_marks& marks_;
  std::unordered_map<std::uint64_t, counted> bytes_;
  std::uint64_t sum_ = 0;
};

class history_collector_factory final : public rocksdb::TablePropertiesCollectorFactory {
public:
  explicit history_collector_factory(const history_marks& marks) : marks_{marks} {}

  rocksdb::TablePropertiesCollector*
  CreateTablePropertiesCollector(rocksdb::TablePropertiesCollectorFactory::Context) override {
    return new history_collector{marks_};
  }
  const char* Name() const override { return "vicket.history_collector"; }

private:
  const history_marks& marks_;
};

/// Bytes of a file whose last key is `last` that are dropped.
std::uint64_t dropped_bytes(const rocksdb::TableProperties& properties, log_sequence last,
                            const history_marks& marks) {
  const auto found = properties.user_collected_properties.find(property_name);
  if (found == properties.user_collected_properties.end())
    return 0;
  auto sum = std::uint64_t{0};
  const auto number = [](std::string_view bytes) { return codec::parse_u64(bytes.substr(0, 8)).value_or(0); };
  for (auto rest = std::string_view{found->second}; rest.size() >= 24; rest.remove_prefix(24)) {
    const auto mark = marks.of(number(rest));
    sum += mark.answers_from > last ? number(rest.substr(8)) : 0;
    sum += mark.attempts_from > last ? number(rest.substr(16)) : 0;
  }
  return sum;
}

} // namespace

std::shared_ptr<rocksdb::TablePropertiesCollectorFactory> make_history_collector(const history_marks& marks) {
  return std::make_shared<history_collector_factory>(marks);
}

bool partition_store::sweep_history() const {
  const auto lock = rep_->reading();
  if (!rep_->db || !rep_->marks.any())
    return false;
  const auto disk = rep_->free_space();
  if (disk.free_bytes <= disk.reserve_bytes)
    return false; // it takes some room before it gives some
  auto* const column = rep_->column(family::attempts);
  auto tables = rocksdb::TablePropertiesCollection{};
  if (!rep_->db->GetPropertiesOfAllTables(column, &tables).ok())
    return false;
  auto meta = rocksdb::ColumnFamilyMetaData{};
  rep_->db->GetColumnFamilyMetaData(column, &meta);
  for (const auto& level : meta.levels) {
    if (level.level == 0)
      continue; // it is rewritten soon
    for (const auto& file : level.files) {
      const auto found = tables.find(file.db_path + file.name);
      const auto last = codec::parse_u64(file.largestkey);
      if (file.being_compacted || found == tables.end() || !last)
        continue;
      const auto& properties = *found->second;
      if (dropped_bytes(properties, *last, rep_->marks) * sweep_share < properties.raw_value_size)
        continue;
      auto options = rocksdb::CompactionOptions{};
      options.compression = rocksdb::kDisableCompressionOption; // that of the family
      const auto status = rep_->db->CompactFiles(options, column, {file.name}, level.level);
      if (status.ok())
        return true;
    }
  }
  return false;
}

} // namespace vicket
