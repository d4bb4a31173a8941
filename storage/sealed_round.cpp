#include "storage/sealed_round.hpp"

#include "storage/key_codec.hpp"
#include "storage/write_batch_rep.hpp"

#include <rocksdb/write_batch.h>

#include <utility>

namespace vicket {

namespace {

/// Finds the commit record, and what is said of accounts and settings. A round without one, or whose last write it is not, is none.
class header_finder final : public rocksdb::WriteBatch::Handler {
public:
  rocksdb::Status PutCF(std::uint32_t column, const rocksdb::Slice& key,
                        const rocksdb::Slice& value) override {
    const auto is_commit = column == static_cast<std::uint32_t>(family::meta) &&
                           std::string_view{key.data(), key.size()} == codec::commit_key;
    found = is_commit ? codec::decode_commit({value.data(), value.size()}) : std::nullopt;
    if (const auto account = account_of(column, key)) {
      const auto written = codec::decode_account({value.data(), value.size()});
      if (!written)
        return rocksdb::Status::Corruption("damaged account");
      marks.push_back({*account, {written->answers_from, written->attempts_from}});
    }
    if (column == static_cast<std::uint32_t>(family::meta) &&
        std::string_view{key.data(), key.size()} == codec::dropped_key) {
      drops = codec::decode_drops({value.data(), value.size()});
      if (!drops)
        return rocksdb::Status::Corruption("damaged drops");
    }
    if (const auto which = setting_of(column, key))
      settings.push_back({*which, std::make_shared<const setting>(setting{*which, value.ToString()})});
    return check(column);
  }
  rocksdb::Status DeleteCF(std::uint32_t column, const rocksdb::Slice& key) override {
    found.reset();
    if (const auto account = account_of(column, key))
      marks.push_back({*account, {}});
    if (const auto which = setting_of(column, key))
      settings.push_back({*which, nullptr});
    return check(column);
  }

  std::optional<round_header> found;
  std::vector<std::pair<std::uint64_t, history_mark>> marks; ///< see write_batch::rep
  std::optional<feed_drops> drops;                           ///< likewise
  std::vector<settings_snapshot::change> settings;           ///< likewise

private:
  static std::optional<std::uint64_t> account_of(std::uint32_t column, const rocksdb::Slice& key) {
    return column == static_cast<std::uint32_t>(family::meta)
               ? codec::parse_history_key({key.data(), key.size()})
               : std::nullopt;
  }

  static std::optional<setting_key> setting_of(std::uint32_t column, const rocksdb::Slice& key) {
    return column == static_cast<std::uint32_t>(family::meta)
               ? codec::parse_setting_key({key.data(), key.size()})
               : std::nullopt;
  }

  static rocksdb::Status check(std::uint32_t column) {
    return column < family_count ? rocksdb::Status::OK()
                                 : rocksdb::Status::Corruption("unknown column family");
  }
};

} // namespace

sealed_round::sealed_round(write_batch&& batch, const round_header& header)
    : batch_{std::move(batch)}, header_{header} {
  batch_.rep_->seal(header);
}

std::optional<sealed_round> sealed_round::parse(std::string bytes) {
  auto round = sealed_round{};
  round.batch_.rep_->writes = rocksdb::WriteBatch{std::move(bytes)};
  auto finder = header_finder{};
  // A rep of less than RocksDB's own header is not looked at by Iterate in all of its versions.
  if (round.bytes().size() < 12 || !round.batch_.rep_->writes.Iterate(&finder).ok() || !finder.found)
    return std::nullopt;
  round.header_ = *finder.found;
  round.batch_.rep_->marks = std::move(finder.marks);
  round.batch_.rep_->drops = std::move(finder.drops);
  round.batch_.rep_->settings = std::move(finder.settings);
  return round;
}

std::string_view sealed_round::bytes() const {
  return batch_.rep_->writes.Data();
}

write_batch sealed_round::reuse() && {
  batch_.clear();
  return std::move(batch_);
}

} // namespace vicket
