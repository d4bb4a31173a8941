// A whole partition as rounds, for a log that begins with what a single node has.

#include "storage/partition_store_rep.hpp"
#include "storage/write_batch_rep.hpp"

namespace vicket {

namespace {

/// What belongs to a store, not to what is in it.
bool is_own(family which, std::string_view key) {
  return which == family::meta && (key == codec::format_key || key == codec::commit_key ||
                                   key == codec::position_key || key == codec::purge_key);
}

} // namespace

store_status
partition_store::copy_as_rounds(std::uint64_t epoch, std::size_t round_bytes,
                                const std::function<store_status(const sealed_round&)>& take) const {
  const auto& own = *rep_;
  const auto lock = own.reading();
  if (!own.db)
    return {store_errc::full, "no space left for " + own.folder + " yet: it is closed until there is"};
  auto header = own.last;
  header.epoch = epoch;
  header.number = 1; // of the store that has nothing but its format
  auto batch = write_batch{};
  const auto finish = [&]() -> store_status {
    ++header.number;
    const auto round = sealed_round{std::move(batch), header};
    batch = {};
    return take(round);
  };
  for (auto i = std::size_t{0}; i < family_count; ++i) {
    const auto which = static_cast<family>(i);
    auto it = own.range(which, std::string{}, std::string(64, '\xff'), true);
    for (; it.valid(); it.next()) {
      if (is_own(which, it.key()))
        continue;
      batch.rep_->put(which, it.key(), it.value());
      if (batch.bytes() >= round_bytes)
        if (auto status = finish(); !status.ok())
          return status;
    }
    own.report_end(it, which);
  }
  if (auto status = health(); !status.ok())
    return status;
  return finish(); // also of one that is empty: where its log goes on is in the header
}

} // namespace vicket
