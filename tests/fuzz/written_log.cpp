// A write-ahead log, or a manifest, as a crash or a damage may have left it. The first byte says which.

#include "tests/fuzz/fuzz_target.hpp"

#include "storage/log_scan.hpp"

using namespace vicket;

VICKET_FUZZ_TARGET(written_log) {
  if (input.empty())
    return;
  const auto least = (input[0] & 1) != 0 ? log_scan::least_edit_bytes : log_scan::batch_header_bytes;
  // few bytes, many blocks: what is there is put at the end of a block, and once more at the beginning of the next
  auto bytes = std::string{input.substr(1)};
  if ((input[0] & 2) != 0 && bytes.size() < log_scan::block_bytes)
    bytes = std::string(log_scan::block_bytes - bytes.size(), '\0') + bytes + bytes;
  const auto scanned = [&](std::string_view of) {
    log_scan scan{least};
    for (auto at = std::size_t{0}; at < of.size(); at += log_scan::block_bytes)
      scan.add_block(of.substr(at, log_scan::block_bytes));
    return scan;
  };
  const auto scan = scanned(bytes);
  EXPECT_THAT_IT_HOLDS(scan.whole_bytes() <= bytes.size());
  EXPECT_THAT_IT_HOLDS(scan.damage_at() <= bytes.size());
  if (scan.result() == log_scan::state::unsynced_end) { // what is cut off leaves a whole log
    const auto cut = scanned(std::string_view{bytes}.substr(0, scan.whole_bytes()));
    EXPECT_THAT_IT_HOLDS(cut.result() == log_scan::state::whole);
    EXPECT_THAT_IT_HOLDS(cut.whole_bytes() == scan.whole_bytes());
  }
}
