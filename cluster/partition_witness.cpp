#include "cluster/partition_witness.hpp"

#include "cluster/while_alive.hpp"

#include <utility>

namespace vicket {

struct partition_witness::rep : std::enable_shared_from_this<rep> {
  struct record {
    std::uint64_t number = 0; ///< 0: none
    record_digest digest{};
  };

  explicit rep(setup given)
      : with{std::move(given)}, halting{*with.table, with.partition}, watch{with.now_ms()} {}

  void poll() {
    halting.go_on();
    if (ended || std::exchange(polling, true))
      return;
    with.table->glance(with.partition, certain.number,
                       internal::while_alive(weak_from_this(), [asked = certain, sent = with.now_ms()](
                                                                   rep& self, const glance& answer) {
                         self.polling = false;
                         self.take(answer, asked, sent);
                       }));
  }

  using glance = log_table::glance_answer;

  void take(const glance& answer, const record& asked, std::int64_t sent) {
    const auto now = with.now_ms();
    if (!answer.answered)
      return watch.lost_sight(now);
    const auto is_trimmed = answer.trimmed_to > asked.number;
    if (asked.number != 0 && !is_trimmed && answer.known != asked.digest) {
      ended = true;
      record_head lost;
      lost.partition = with.partition;
      lost.number = asked.number;
      const auto why = seen.halted = log_went_back(lost);
      halting.begin(why);
      return with.went_back(why);
    }
    if (answer.durable && answer.durable_to > certain.number)
      certain = {answer.durable_to, *answer.durable};
    looked_ms = sent;
    seen = answer;
    watch.polled(sent, now, answer.last);
  }

  setup with;
  log_halt halting;
  claim_watch watch;
  record certain;
  glance seen; ///< the last one that was answered
  std::int64_t looked_ms = 0;
  bool polling = false;
  bool ended = false; ///< the log went back
};

partition_witness::partition_witness(setup with) : rep_{std::make_shared<rep>(std::move(with))} {}

partition_witness::~partition_witness() = default;

void partition_witness::poll() {
  rep_->poll();
}

void partition_witness::knows(std::uint64_t number, const record_digest& digest) {
  if (number > rep_->certain.number)
    rep_->certain = {number, digest};
}

void partition_witness::lived(std::int64_t first_sent_ms) {
  rep_->watch.lived(first_sent_ms);
}

std::int64_t partition_witness::looked_ms() const noexcept {
  return rep_->looked_ms;
}

std::uint64_t partition_witness::known() const noexcept {
  return rep_->certain.number;
}

std::uint64_t partition_witness::last() const noexcept {
  return rep_->seen.last;
}

std::uint64_t partition_witness::trimmed_to() const noexcept {
  return rep_->seen.trimmed_to;
}

const std::string& partition_witness::owner() const noexcept {
  return rep_->seen.owner;
}

std::uint64_t partition_witness::epoch() const noexcept {
  return rep_->seen.epoch;
}

const std::string& partition_witness::halted() const noexcept {
  return rep_->seen.halted;
}

bool partition_witness::is_silent(std::uint32_t rank) const {
  return rep_->watch.may_claim(rep_->with.now_ms(), rank);
}

} // namespace vicket
