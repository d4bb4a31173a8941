#pragma once

#include "actors/interfaces.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace vicket {

/// Puts the events of one page of history together: reads them in the order in which they are wanted, from one partition
/// after the other, until the page is full. So what is under way is one page, however many partitions there are.
class history_page {
public:
  struct wanted_event {
    std::size_t partition = 0; ///< a place among the readers
    wanted_history what;
  };

  struct result {
    std::vector<event_history> events;
    std::size_t seen = 0; ///< of those that were wanted: these are on the page, or not there any more
    std::optional<attempts_left> left; ///< of the last of those
  };
  using done = std::function<void(result, caf::error)>; ///< with an error the result is worth nothing

  /// `readers` are the actor's, and stay. `finished` is called once.
  static void read(history_actor::pointer self, const std::vector<partition_reader_actor>& readers,
                   std::vector<wanted_event> wanted, std::size_t max_bytes, done finished);

private:
  history_page(history_actor::pointer self, const std::vector<partition_reader_actor>& readers,
               std::vector<wanted_event> wanted, std::size_t max_bytes, done finished);

  static void go_on(const std::shared_ptr<history_page>& page);
  void take(partition_histories part);
  void finish(caf::error why);

  history_actor::pointer self_;
  const std::vector<partition_reader_actor>& readers_;
  std::vector<wanted_event> wanted_;
  std::size_t max_bytes_;
  done finished_;
  result result_;
  std::size_t bytes_ = 0;
  bool full_ = false;
};

} // namespace vicket
