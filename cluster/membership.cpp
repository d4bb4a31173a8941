#include "cluster/membership.hpp"

#include <optional>
#include <utility>

namespace vicket {

struct membership::rep : std::enable_shared_from_this<rep> {
  explicit rep(setup given) : with{std::move(given)} {}

  template <class Then>
  auto later(Then then) {
    return [weak = weak_from_this(), then](auto&&... answer) {
      if (const auto self = weak.lock())
        then(*self, std::forward<decltype(answer)>(answer)...);
    };
  }

  void tick() {
    const auto now = with.now_ms();
    if (is_replaced || under_way || (sent_ms && now - *sent_ms < beat_ms))
      return;
    under_way = true;
    sent_ms = now;
    if (incarnation == 0)
      return enter();
    with.table->beat(with.self, incarnation, later([now](rep& self, const member_table::beat_answer& answer) {
                       self.take_beat(answer, now);
                     }));
  }

  void enter() {
    with.table->enter(with.self, later([](rep& self, const member_table::enter_answer& answer) {
                        self.under_way = false;
                        self.trouble = answer.detail;
                        if (!answer.acknowledged)
                          return; // if it was done, the next one is the life after it
                        self.incarnation = answer.incarnation;
                        self.sent_ms.reset(); // the first sign of life at once
                      }));
  }

  void take_beat(const member_table::beat_answer& answer, std::int64_t sent) {
    if (answer.replaced) {
      under_way = false;
      is_replaced = true;
      return with.replaced();
    }
    trouble = answer.detail;
    if (answer.acknowledged)
      with.lived(sent);
    with.table->list(later([](rep& self, member_table::list_answer found) { self.take(std::move(found)); }));
  }

  void take(member_table::list_answer found) {
    under_way = false;
    if (!found.answered) {
      trouble = found.detail;
      return all.lost_sight();
    }
    rows = std::move(found.rows);
    std::vector<presence::sign> signs;
    for (const auto& row : rows)
      signs.push_back({row.node, row.zone, row.incarnation, row.beats});
    all.seen(signs, with.now_ms());
  }

  setup with;
  std::uint64_t incarnation = 0;
  std::optional<std::int64_t> sent_ms; ///< when something was sent last
  bool under_way = false;
  bool is_replaced = false;
  presence all;
  std::vector<member_row> rows;
  std::string trouble;
};

membership::membership(setup with) : rep_{std::make_shared<rep>(std::move(with))} {}

membership::~membership() = default;

void membership::tick() {
  rep_->tick();
}

void membership::say_wrong(std::string what) {
  rep_->with.self.wrong = std::move(what);
}

std::uint64_t membership::incarnation() const noexcept {
  return rep_->incarnation;
}

const std::vector<member_row>& membership::rows() const noexcept {
  return rep_->rows;
}

const presence& membership::others() const noexcept {
  return rep_->all;
}

const std::string& membership::trouble() const noexcept {
  return rep_->trouble;
}

} // namespace vicket
