#include "cluster/membership.hpp"

#include "cluster/while_alive.hpp"
#include "policy/lease.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace vicket {

struct membership::rep : std::enable_shared_from_this<rep> {
  explicit rep(setup given) : with{std::move(given)} {}

  template <class Then>
  auto later(Then then) {
    return internal::while_alive(weak_from_this(), std::move(then));
  }

  void tick() {
    const auto now = with.now_ms();
    if (under_way && now - *sent_ms >= claim_watch::prompt_ms)
      trouble = "the table has not answered for " + std::to_string((now - *sent_ms) / 1'000) + " s";
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
    trouble = answer.detail;
    is_absent = answer.absent;
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
      signs.push_back({row.node, row.zone, row.incarnation, row.beats, row.state != member::leaving,
                       row.state != member::stalled, row.unreached, row.drained});
    all.seen(signs, with.now_ms());
    if (std::exchange(is_absent, false))
      look_for_own_row();
  }

  /// A later life's row says that this one is over. None, or an earlier one's, is what a failover left that lost this one's:
  /// then it enters again.
  void look_for_own_row() {
    const auto mine = std::find_if(rows.begin(), rows.end(),
                                   [this](const member_row& row) { return row.node == with.self.node; });
    is_replaced = mine != rows.end() && mine->life != with.self.life && mine->incarnation >= incarnation;
    if (is_replaced)
      return with.replaced();
    incarnation = 0;
  }

  setup with;
  std::uint64_t incarnation = 0;
  std::optional<std::int64_t> sent_ms; ///< when something was sent last
  bool under_way = false;
  bool is_absent = false; ///< the last sign of life found no row of this life
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

void membership::say_wrong(std::string_view what) {
  std::string text{what.substr(0, most_wrong_bytes)};
  if (what.size() > most_wrong_bytes)
    text.replace(text.size() - 3, 3, "...");
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  rep_->with.self.wrong = std::move(text);
}

void membership::say_looked(std::uint64_t timeline) {
  rep_->with.self.looked_at = timeline;
}

void membership::say_unreached(std::vector<std::string> nodes) {
  nodes.resize(std::min(nodes.size(), most_unreached));
  rep_->with.self.unreached = std::move(nodes);
}

void membership::say_stalled(bool is) {
  if (auto& state = rep_->with.self.state; state != member::leaving)
    state = is ? member::stalled : member::up;
}

void membership::say_leaving() {
  rep_->with.self.state = member::leaving;
  rep_->sent_ms.reset(); // at once
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
