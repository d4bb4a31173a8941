#pragma once

#include "messages/ids.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

namespace vicket {

/// The connectors of a partition that a status has something to say about, by id, so that a page of it costs what is on
/// the page. Those that have nothing to show any more may stay for a while: most will be busy again with their next
/// event, and to leave and come back each time would cost more than to be passed over.
///
/// About 5 bytes each. O(log n) comparisons of ids to come in; nothing for one that is in it already.
class busy_connectors {
public:
  using slot = std::uint32_t;
  static constexpr std::size_t chunk_slots = 512;

  /// `id_of` knows the id of each slot that is in it; ids do not change.
  explicit busy_connectors(std::function<const connector_id&(slot)> id_of) : id_of_{std::move(id_of)} {}

  /// False: it was in it.
  bool insert(slot which);
  /// False: it was not in it.
  bool erase(slot which);
  [[nodiscard]] bool contains(slot which) const { return which < inside_.size() && inside_[which]; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  enum class verdict : std::uint8_t { keep, drop, stop };

  /// Visits those whose ids come after this one, in order, until one is to `stop`, which stays.
  template <class Visit>
  void visit_after(const connector_id& after, Visit visit) {
    for (auto chunk = chunk_of(after); chunk < chunks_.size();) {
      auto& slots = chunks_[chunk];
      auto kept = slots.begin();
      bool stopped = false;
      for (auto each = slots.begin(); each != slots.end(); ++each) {
        const auto what = stopped || !(after < id_of_(*each)) ? verdict::keep : visit(*each);
        stopped = stopped || what == verdict::stop;
        if (what != verdict::drop)
          *kept++ = *each;
        else
          leave(*each);
      }
      slots.erase(kept, slots.end());
      if (slots.empty()) {
        chunks_.erase(chunks_.begin() + static_cast<std::ptrdiff_t>(chunk));
      } else {
        if (slots.size() < slots.capacity() / 4)
          slots.shrink_to_fit();
        ++chunk;
      }
      if (stopped)
        return;
    }
  }

  void check() const; ///< the invariants below

private:
  [[nodiscard]] std::size_t chunk_of(const connector_id& id) const;
  void leave(slot which) {
    inside_[which] = false;
    --size_;
  }

  // Invariants: chunks are not empty, of at most chunk_slots, and in the order of their ids one after the other;
  // inside_ has exactly the size_ slots that are in them.
  std::function<const connector_id&(slot)> id_of_;
  std::vector<std::vector<slot>> chunks_;
  std::vector<bool> inside_; ///< by slot
  std::size_t size_ = 0;
};

} // namespace vicket
