// How the bytes of dropped answers leave the disk. A file of attempts is in the order of the log, so RocksDB has no reason
// to rewrite it: it would lie there, answers and all, until the retention drops it as a whole. So each file notes, when it
// is written, which accounts have much of it; and one whose dropped part has become a third or more is rewritten by
// itself. That writes at most two bytes for each that goes.

#include "storage/answer_sweep.hpp"

#include "storage/partition_store_rep.hpp"

#include <rocksdb/metadata.h>
#include <rocksdb/table_properties.h>

#include <unordered_map>

namespace vicket {

namespace {

constexpr const char* property_name = "vicket.answers";
constexpr std::size_t least_value_bytes = 256; ///< smaller ones are hardly worth dropping
constexpr std::uint64_t least_share = 64;      ///< of a file that an account has, to be noted
constexpr std::uint64_t sweep_share = 3;       ///< of a file that is dropped, to rewrite it

/// Counts which accounts' attempts fill a file.
class answer_collector final : public rocksdb::TablePropertiesCollector {
public:
  rocksdb::Status AddUserKey(const rocksdb::Slice&, const rocksdb::Slice& value, rocksdb::EntryType type,
                             rocksdb::SequenceNumber, std::uint64_t) override {
    if (type == rocksdb::kEntryPut && value.size() >= least_value_bytes)
      if (const auto account = codec::decode_account_of_attempt({value.data(), value.size()}); account != 0)
        bytes_[account] += value.size();
    sum_ += value.size();
    return rocksdb::Status::OK();
  }

  rocksdb::Status Finish(rocksdb::UserCollectedProperties* properties) override {
    auto text = std::string{};
    for (const auto& [account, bytes] : bytes_)
      if (bytes >= sum_ / least_share)
        text += codec::u64_bytes(account) + codec::u64_bytes(bytes);
    (*properties)[property_name] = std::move(text);
    return rocksdb::Status::OK();
  }

  rocksdb::UserCollectedProperties GetReadableProperties() const override { return {}; }
  const char* Name() const override { return "vicket.answer_collector"; }

private:
  std::unordered_map<std::uint64_t, std::uint64_t> bytes_;
  std::uint64_t sum_ = 0;
};

class answer_collector_factory final : public rocksdb::TablePropertiesCollectorFactory {
public:
  rocksdb::TablePropertiesCollector*
  CreateTablePropertiesCollector(rocksdb::TablePropertiesCollectorFactory::Context) override {
    return new answer_collector;
  }
  const char* Name() const override { return "vicket.answer_collector"; }
};

/// Bytes of a file whose last key is `last` that are dropped.
std::uint64_t dropped_bytes(const rocksdb::TableProperties& properties, log_sequence last,
                            const answer_marks& marks) {
  const auto found = properties.user_collected_properties.find(property_name);
  if (found == properties.user_collected_properties.end())
    return 0;
  auto sum = std::uint64_t{0};
  for (auto rest = std::string_view{found->second}; rest.size() >= 16; rest.remove_prefix(16))
    if (marks.kept_from(codec::parse_u64(rest.substr(0, 8)).value_or(0)) > last)
      sum += codec::parse_u64(rest.substr(8, 8)).value_or(0);
  return sum;
}

} // namespace

std::shared_ptr<rocksdb::TablePropertiesCollectorFactory> make_answer_collector() {
  return std::make_shared<answer_collector_factory>();
}

bool partition_store::sweep_answers() const {
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
