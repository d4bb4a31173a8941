#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace vicket {

/// From a log position on, a partition's log was written under this tag, up to where the next entry begins.
struct lineage_entry {
  std::uint64_t from = 0;
  std::uint32_t tag = 0;

  friend bool operator==(const lineage_entry&, const lineage_entry&) = default;
};

/// Which of several logs a position belongs to. A copy of a data folder that is put back goes on with log positions
/// that the original has given out before, for other things; a reader that comes back with a position of the original
/// must not be taken for one that has seen what the copy has there.
///
/// Each opening of a partition draws a random tag, under which it writes. Two logs that have an entry in common are the
/// same up to where either entry ends, since one opening wrote it, and what came before it is part of both. So a
/// position with the tag of the entry that covers it says how much of a log its reader has seen:
///
/// | the log                                    | is the reader's own                            |
/// |--------------------------------------------|------------------------------------------------|
/// | has the tag, and the position in its range | up to the position                             |
/// | has the tag, with a range that ends before | up to the range's end: there the log branched  |
/// | has no such tag                            | nothing is known of it                         |
///
/// The entry is stored in the commit that first moves the log's end in an opening. An opening that writes nothing gives
/// out no positions but those that it found, so it needs no entry, and costs nothing.
///
/// Positions are log sequences: 1 is the first, 0 is before it. What was written by versions that kept no lineage has
/// tag 0.
class feed_lineage {
public:
  static constexpr std::size_t max_entries = 64;

  /// Of a partition without a stored one.
  feed_lineage() : entries_{{0, 0}} {}

  /// As stored: 1 to `max_entries` entries whose `from` rises. `nullopt`: others.
  [[nodiscard]] static std::optional<feed_lineage> from_entries(std::vector<lineage_entry> entries);

  /// An opening whose first position is `next` writes under this tag. Forgets the oldest entries: those of positions
  /// that are all below `last_lost`, the last of a feed entry that retention has taken (no reader is there without
  /// having missed something), and, beyond `max_entries`, others. A tag that equals the last one goes on with its entry.
  void begin(std::uint64_t next, std::uint32_t tag, std::uint64_t last_lost);

  /// Of the entry that covers the position; that of the oldest entry for what is below all.
  [[nodiscard]] std::uint32_t tag_of(std::uint64_t position) const;

  /// Up to which position this log is the one that a reader at `position` has seen; `end` is the log's last position.
  /// Less than `position`: what follows is new to it. `nullopt`: nothing is known of the reader's log.
  [[nodiscard]] std::optional<std::uint64_t> common_up_to(std::uint64_t position, std::uint32_t tag,
                                                          std::uint64_t end) const;

  [[nodiscard]] const std::vector<lineage_entry>& entries() const noexcept { return entries_; }

  friend bool operator==(const feed_lineage&, const feed_lineage&) = default;

private:
  std::vector<lineage_entry> entries_; ///< never empty, at most max_entries, `from` rises
};

} // namespace vicket
