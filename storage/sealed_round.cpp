#include "storage/sealed_round.hpp"

#include "storage/key_codec.hpp"
#include "storage/write_batch_rep.hpp"

#include <rocksdb/write_batch.h>

#include <utility>

namespace vicket {

namespace {

/// Finds the commit record. A round without one, or whose last write it is not, is none.
class header_finder final : public rocksdb::WriteBatch::Handler {
public:
  rocksdb::Status PutCF(std::uint32_t column, const rocksdb::Slice& key,
                        const rocksdb::Slice& value) override {
    const auto is_commit = column == static_cast<std::uint32_t>(family::meta) &&
                           std::string_view{key.data(), key.size()} == codec::commit_key;
    found = is_commit ? codec::decode_commit({value.data(), value.size()}) : std::nullopt;
    return check(column);
  }
  rocksdb::Status DeleteCF(std::uint32_t column, const rocksdb::Slice&) override {
    found.reset();
    return check(column);
  }

  std::optional<round_header> found;

private:
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
