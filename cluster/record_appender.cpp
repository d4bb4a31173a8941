#include "cluster/record_appender.hpp"

#include "cluster/while_alive.hpp"
#include "policy/assertion.hpp"

#include <algorithm>
#include <utility>

namespace vicket {

struct record_appender::rep : std::enable_shared_from_this<rep> {
  struct job {
    log_row row;
    record_digest before{};
    append_settling settling;
    std::function<void(settled)> done;
    std::int64_t pause_ms = first_pause_ms;
    std::string detail;
  };

  explicit rep(setup given) : with{std::move(given)} {}

  template <class Then>
  auto later(Then then) {
    return internal::while_alive(weak_from_this(), std::move(then));
  }

  void send(bool afresh) {
    with.table->append(now->row, now->before, afresh, later([](rep& self, log_table::append_answer answer) {
                         self.now->detail = std::move(answer.detail);
                         self.go(self.now->settling.on_reply(answer.reply));
                       }));
  }

  void look() {
    with.table->look(now->row.head.partition, now->row.head.number,
                     later([](rep& self, log_table::look_answer answer) {
                       if (answer.answered)
                         return self.go(self.now->settling.on_look(answer.seen));
                       self.now->detail = std::move(answer.detail);
                       self.pause([](rep& again) { again.look(); });
                     }));
  }

  void go(append_settling::step step) {
    switch (step) {
    case append_settling::step::send:
      return pause([](rep& self) { self.send(true); });
    case append_settling::step::look:
      return look();
    default: {
      auto finished = std::move(*now);
      now.reset();
      finished.done({step, std::move(finished.detail)});
    }
    }
  }

  template <class Then>
  void pause(Then then) {
    with.wait(now->pause_ms, later(then));
    now->pause_ms = std::min(2 * now->pause_ms, longest_pause_ms);
  }

  setup with;
  std::optional<job> now;
};

record_appender::record_appender(setup with) : rep_{std::make_shared<rep>(std::move(with))} {}

record_appender::~record_appender() = default;

void record_appender::append(log_row row, const record_digest& before, std::function<void(settled)> done) {
  VICKET_ASSERT(!busy());
  const append_settling settling{row.head.number, before, row.digest};
  rep_->now.emplace(rep::job{std::move(row), before, settling, std::move(done), first_pause_ms, {}});
  rep_->send(false);
}

bool record_appender::busy() const noexcept {
  return rep_->now.has_value();
}

} // namespace vicket
