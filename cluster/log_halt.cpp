#include "cluster/log_halt.hpp"

#include "cluster/log_table.hpp"
#include "cluster/while_alive.hpp"

#include <utility>

namespace vicket {

struct log_halt::rep : std::enable_shared_from_this<rep> {
  rep(log_table& given, std::uint32_t of) : table{given}, partition{of} {}

  void go_on() {
    if (why.empty() || std::exchange(under_way, true))
      return;
    table.halt(partition, why, internal::while_alive(weak_from_this(), [](rep& self, bool acknowledged) {
                 self.under_way = false;
                 if (acknowledged)
                   self.why.clear();
               }));
  }

  log_table& table;
  std::uint32_t partition;
  std::string why; ///< empty: there is nothing to halt for, or it is done
  bool under_way = false;
};

std::string log_went_back(const record_head& lost) {
  return "the log went back: record " + std::to_string(lost.number) + " of partition " +
         std::to_string(lost.partition) + " is not there any more, or another one";
}

log_halt::log_halt(log_table& table, std::uint32_t partition)
    : rep_{std::make_shared<rep>(table, partition)} {}

void log_halt::begin(const std::string& why) {
  rep_->why = why;
  rep_->go_on();
}

void log_halt::go_on() {
  rep_->go_on();
}

} // namespace vicket
