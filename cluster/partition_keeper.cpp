#include "cluster/partition_keeper.hpp"

#include "cluster/log_halt.hpp"
#include "cluster/while_alive.hpp"
#include "policy/assertion.hpp"

#include <algorithm>
#include <charconv>
#include <deque>
#include <optional>
#include <utility>

namespace vicket {

namespace {

using step = append_settling::step;

std::string name_of(const record_head& head) {
  return "record " + std::to_string(head.number) + " of partition " + std::to_string(head.partition);
}

std::string text_of(const claim_owner& owner) {
  return owner.node + '/' + std::to_string(owner.incarnation);
}

/// As a claim's body has it.
std::optional<claim_owner> owner_in(std::string_view body) {
  const auto slash = body.rfind('/');
  if (slash == std::string_view::npos)
    return std::nullopt;
  claim_owner found{std::string{body.substr(0, slash)}, 0};
  const auto digits = body.substr(slash + 1);
  const auto [end, problem] =
      std::from_chars(digits.data(), digits.data() + digits.size(), found.incarnation);
  return problem == std::errc{} && end == digits.data() + digits.size() ? std::optional{found} : std::nullopt;
}

} // namespace

struct partition_keeper::rep : std::enable_shared_from_this<rep> {
  /// Verified, and not known to be durable yet.
  struct waiting_record {
    log_position with_it; ///< up to this one
    std::string body;     ///< opened
  };
  struct queued_round {
    std::string round;
    std::function<void(step)> done;
  };
  struct own_record {
    log_row row;
    std::string body; ///< of a round
    std::int64_t first_sent_ms = 0;
    std::function<void(step)> done;
  };

  explicit rep(setup given)
      : with{std::move(given)}, seen{with.begin}, durable{with.begin}, appender{with.appender},
        halting{*with.appender.table, with.partition}, watch{with.now_ms()},
        durable_to{seen.history.last().number} {}

  template <class Then>
  auto later(Then then) {
    return internal::while_alive(weak_from_this(), std::move(then));
  }

  void become(role next, const std::string& why) {
    if (std::exchange(is, next) == next)
      return;
    if (next != role::owning) {
      lease.reset();
      next_copies.reset();
    }
    with.changed(next, why);
  }

  [[nodiscard]] bool ended() const { return is == role::behind || is == role::broken; }

  // -- reading ------------------------------------------------------------------------------------------------

  void poll() {
    halting.go_on();
    if (ended() || std::exchange(polling, true))
      return;
    const auto sent = with.now_ms();
    with.appender.table->read(
        with.partition, seen.history.last().number + 1, max_page_bytes,
        later([sent, from = seen.history](rep& self, const log_table::read_answer& page) {
          self.polling = false;
          self.take(page, from, sent);
        }));
  }

  void take(const log_table::read_answer& page, const log_history& from, std::int64_t sent) {
    if (ended())
      return;
    const auto now = with.now_ms();
    if (!page.answered) {
      watch.lost_sight(now);
      return;
    }
    const auto begins = "the log begins with record " + std::to_string(page.trimmed_to);
    if (!from.empty() && page.before != from.digest()) {
      if (page.trimmed_to > from.last().number)
        return become(role::behind, begins);
      return is_certain(from) ? went_back(from) : forget_uncertain();
    }
    if (from.empty() && page.trimmed_to > 1)
      return become(role::behind, begins);
    // Rows are read a moment after the rest of the page: what was trimmed between is told by the next one.
    const auto is_gap =
        !page.rows.empty() && from.digest() == seen.history.digest() && begins_later(page.rows.front(), from);
    if (is_gap && !std::exchange(met_gap, true))
      return;
    met_gap = is_gap;
    looked_ms = sent;
    halted = page.halted;
    trimmed_to = page.trimmed_to;
    if (from.digest() != seen.history.digest())
      return; // an append of our own has come in between: the next poll is from there
    if (is == role::following || is == role::stalled) {
      follow(page);
      if (is == role::following && seen.history.last().number >= page.last && !waits_to_change())
        complete_ms = std::max(complete_ms, sent);
    } else if (is == role::owning && page.rows.empty()) {
      complete_ms = std::max(complete_ms, sent);
    } else if (!page.rows.empty() && !is_own(page.rows.front()))
      step_down("another node has written " + name_of(page.rows.front().head));
    if (ended())
      return;
    has_caught_up = seen.history.last().number >= page.last;
    watch.polled(sent, now, seen.history.last().number);
    if (const auto& last = seen.history.last(); is == role::following && last.kind == record_kind::yield)
      watch.released();
  }

  [[nodiscard]] static bool begins_later(const log_row& first, const log_history& from) {
    return from.empty() ? first.head.kind != record_kind::genesis
                        : first.head.number > from.last().number + 1;
  }

  /// Of the append that is under way: what becomes of it that one is told.
  [[nodiscard]] bool is_own(const log_row& row) const {
    return own && own->row.head.number == row.head.number;
  }

  void follow(const log_table::read_answer& page) {
    for (const auto& row : page.rows) {
      const auto before = seen.history.digest();
      if (const auto why = seen.history.take(row.head, row.digest, row.body); !why.empty())
        return become(role::broken, name_of(row.head) + " " + why);
      passed(row);
      const auto says_who = row.head.kind == record_kind::claim || row.head.kind == record_kind::copies;
      if (is == role::stalled && !says_who)
        continue; // of a store that takes nothing only that is to be known
      auto body = with.codec->open(row.head, before, row.body);
      if (!body)
        return become(role::broken, name_of(row.head) + " can't be opened with this cluster's key");
      if (row.head.kind == record_kind::claim) {
        seen.owner = owner_in(*body);
        if (!seen.owner)
          return become(role::broken, name_of(row.head) + " is a claim that names nobody");
      } else if (row.head.kind == record_kind::copies) {
        auto copies = decode_copies(*body);
        if (!copies)
          return become(role::broken, name_of(row.head) + " does not say who keeps the partition");
        seen.copies = *std::move(copies);
      }
      if (is == role::stalled)
        continue;
      waiting.push_back({seen, std::move(*body)});
      durable_to = std::max(durable_to, row.head.durable_to);
    }
    apply_durable();
  }

  /// Of what is not known to be durable something changes the store.
  [[nodiscard]] bool waits_to_change() const {
    return std::any_of(waiting.begin(), waiting.end(), [](const waiting_record& each) {
      return each.with_it.history.last().kind == record_kind::round && !each.body.empty();
    });
  }

  /// False: it is stalled now.
  bool apply_durable() {
    for (; !waiting.empty() && waiting.front().with_it.history.last().number <= durable_to;
         waiting.pop_front()) {
      const auto& next = waiting.front();
      const auto& upto = next.with_it.history;
      if (!apply(upto.last(), upto.digest(), next.body))
        return false;
      durable = next.with_it;
    }
    return true;
  }

  bool apply(const record_head& head, const record_digest& digest, std::string_view body) {
    if (head.kind == record_kind::round && !body.empty() && !with.apply(head, digest, body)) {
      stall("its store does not take " + name_of(head));
      return false;
    }
    return true;
  }

  void stall(const std::string& why) {
    if (ended() || is == role::stalled)
      return;
    yields = is == role::owning && lease && lease->may_yield(with.now_ms());
    waiting.clear();
    become(role::stalled, why);
    if (!own)
      let_go_stalled();
  }

  /// Nothing acts here any more, and nothing is under way.
  void let_go_stalled() {
    if (std::exchange(yields, false))
      append_own(record_kind::yield, {}, [](step) {});
  }

  /// What was under way when the store stalled is there: then it can still let go, behind that.
  void settled_stalled(const log_row& row, step how) {
    if (how != step::durable)
      yields = false;
    else if (seen.history.last().number + 1 == row.head.number &&
             seen.history.take(row.head, row.digest, row.body).empty())
      durable_to = row.head.number;
    yields =
        yields && seen.history.digest() == row.digest && seen.history.owned(); // unless that was the yield
    let_go_stalled();
  }

  /// What was seen and is not known to be durable may go with the server that showed it: then the log goes on from before.
  [[nodiscard]] bool is_certain(const log_history& upto) const {
    return upto.last().number <= durable.history.last().number;
  }
  /// A claim that was to follow it is no claim any more, whatever becomes of the record: its author may put it there again, and
  /// the claim with it, but what is between is to be read first.
  void forget_uncertain() {
    seen = durable;
    waiting.clear();
    step_down("what was seen and not durable is gone");
  }

  /// What this node knows to be part of the log is not there, or another record is: a server was promoted that lacked it, or a
  /// copy was put back. Records behind it would fit in no history, so nobody is to append any.
  void went_back(const log_history& from) {
    const auto why = halted = log_went_back(from.last());
    become(role::broken, why);
    halting.begin(why);
  }

  // -- owning -------------------------------------------------------------------------------------------------

  void tick(std::uint32_t rank) {
    const auto now = with.now_ms();
    if (is == role::following && has_caught_up && !own && halted.empty() && watch.may_claim(now, rank))
      return claim();
    if (is == role::owning && !own && !queued &&
        (now - last_append_ms >= heartbeat_ms || (with.prompt && untold)))
      append_own(record_kind::round, {}, [](step) {});
  }

  void claim() {
    become(role::claiming, "there is no owner");
    append_own(record_kind::claim, text_of(with.self), [](step) {});
  }

  void append(std::string round, std::function<void(step)> done) {
    VICKET_ASSERT(!queued && !round.empty());
    if (is != role::owning)
      return done(step::lost);
    queued.emplace(queued_round{std::move(round), std::move(done)});
    append_next();
  }

  void append_next() {
    if (own)
      return;
    if (is == role::owning && next_copies)
      return append_own(record_kind::copies, encode_copies(*std::exchange(next_copies, std::nullopt)),
                        [](step) {});
    if (!queued)
      return;
    auto now = *std::exchange(queued, std::nullopt);
    if (is != role::owning)
      return now.done(step::lost);
    append_own(record_kind::round, std::move(now.round), std::move(now.done));
  }

  void append_own(record_kind kind, std::string body, std::function<void(step)> done) {
    VICKET_ASSERT(!own);
    // As the owner everything up to the last record is durable: that one was acknowledged.
    const auto& before = seen.history;
    const auto head = before.next(kind, is == role::owning ? before.last().number : durable_to);
    // Every reader would stop at it, for ever: rather this node ends.
    VICKET_ASSERT(before.complaint_about(head).empty());
    log_row row{head, {}, with.codec->seal(head, before.digest(), body)};
    row.digest = digest_of(before.digest(), head, row.body);
    last_append_ms = with.now_ms();
    own.emplace(own_record{std::move(row), std::move(body), last_append_ms, std::move(done)});
    appender.append(own->row, before.digest(),
                    later([](rep& self, const record_appender::settled& settled) { self.settled(settled); }));
  }

  void settled(const record_appender::settled& what) {
    auto mine = *std::exchange(own, std::nullopt);
    auto how = what.how;
    if (how == step::refused || how == step::durable)
      refused = how == step::refused ? what.detail : std::string{};
    const auto self = shared_from_this();             // whatever `done` does
    if (is != role::claiming && is != role::owning) { // it stepped down meanwhile
      mine.done(step::lost);
      if (is == role::stalled && !own)
        settled_stalled(mine.row, how);
      return append_next();
    }
    switch (how) {
    case step::durable:
      if (!take_own(mine))
        how = step::lost;
      break;
    case step::refused:
      if (mine.row.head.kind == record_kind::claim)
        step_down("the claim was refused: " + what.detail);
      break;
    case step::lost:
      step_down("another node has written " + name_of(mine.row.head));
      break;
    case step::behind:
      become(role::behind, name_of(seen.history.last()) + " is trimmed");
      break;
    case step::broken:
      if (is_certain(seen.history)) {
        went_back(seen.history);
      } else {
        forget_uncertain();
      }
      break;
    default:
      step_down("the partition is halted");
    }
    mine.done(how);
    append_next();
  }

  /// False: it can't be applied.
  bool take_own(const own_record& mine) {
    const auto& row = mine.row;
    const auto after_yield = seen.history.last().kind == record_kind::yield;
    const auto complaint = seen.history.take(row.head, row.digest, row.body);
    VICKET_ASSERT(complaint.empty());
    passed(row);
    durable_to = row.head.number;
    untold = row.head.kind == record_kind::round && !mine.body.empty();
    switch (row.head.kind) {
    case record_kind::claim:
      seen.owner = with.self;
      if (!apply_durable())
        return false;
      durable = seen;
      lease.emplace(mine.first_sent_ms, with.now_ms(), after_yield);
      complete_ms = std::max(complete_ms, mine.first_sent_ms);
      become(role::owning, "it is claimed");
      return true;
    case record_kind::yield:
      durable = seen;
      become(role::following, "it was let go");
      return true;
    default:
      if (lease)
        lease->acknowledged(mine.first_sent_ms);
      if (row.head.kind == record_kind::copies)
        seen.copies = decode_copies(mine.body).value();
      else if (!apply(row.head, row.digest, mine.body))
        return false;
      durable = seen;
      complete_ms = std::max(complete_ms, mine.first_sent_ms); // nobody else's is before it
      return true;
    }
  }

  void passed(const log_row& row) const {
    if (with.passed)
      with.passed(row.body.size());
  }

  void step_down(const std::string& why) {
    watch = claim_watch{with.now_ms()};
    if (is != role::stalled)
      become(role::following, why);
  }

  setup with;
  log_position seen;    ///< what was read or appended; it ends with an own record only when that is durable
  log_position durable; ///< up to what is known to be durable, and was applied: `seen` without `waiting`
  record_appender appender;
  log_halt halting;
  claim_watch watch;
  role is = role::following;
  std::optional<owner_lease> lease;
  std::optional<own_record> own;               ///< under way
  std::optional<queued_round> queued;          ///< while another is
  std::optional<placement_copies> next_copies; ///< of an owner: to be said as soon as nothing is under way
  std::deque<waiting_record> waiting;
  std::uint64_t durable_to;
  std::int64_t last_append_ms = 0;
  bool yields = false; ///< stalled, and lets go once nothing is under way
  std::int64_t looked_ms = 0;
  std::int64_t complete_ms = 0;
  bool untold =
      false; ///< of this owner's last record that changes the store no later one says that it is durable
  bool polling = false;
  bool met_gap = false; ///< the last page began behind what was asked for
  std::uint64_t trimmed_to = 0;
  bool has_caught_up = false;
  std::string halted;  ///< why; empty: it is not
  std::string refused; ///< what was said of the last append; empty: it was not
};

partition_keeper::partition_keeper(setup with) : rep_{std::make_shared<rep>(std::move(with))} {}

partition_keeper::~partition_keeper() = default;

void partition_keeper::poll() {
  rep_->poll();
}

void partition_keeper::lived(std::int64_t first_sent_ms) {
  rep_->watch.lived(first_sent_ms);
}

void partition_keeper::owner_is_gone() {
  if (rep_->is == role::following)
    rep_->watch.released();
}

void partition_keeper::tick(std::uint32_t rank) {
  rep_->tick(rank);
}

void partition_keeper::append(std::string round, std::function<void(append_settling::step)> done) {
  rep_->append(std::move(round), std::move(done));
}

void partition_keeper::hand_to(placement_copies copies) {
  const auto says_so = rep_->own && rep_->own->row.head.kind == record_kind::copies;
  if (rep_->is != role::owning || says_so)
    return;
  rep_->next_copies = std::move(copies);
  rep_->append_next();
}

void partition_keeper::stall(const std::string& why) {
  rep_->stall(why);
}

void partition_keeper::yield() {
  VICKET_ASSERT(may_yield());
  rep_->append_own(record_kind::yield, {}, [](step) {});
}

std::int64_t partition_keeper::looked_ms() const noexcept {
  return rep_->looked_ms;
}

std::int64_t partition_keeper::complete_ms() const noexcept {
  return rep_->complete_ms;
}

const std::string& partition_keeper::refused() const noexcept {
  return rep_->refused;
}

partition_keeper::role partition_keeper::now() const noexcept {
  return rep_->is;
}

bool partition_keeper::busy() const noexcept {
  return rep_->own || rep_->queued;
}

const log_position& partition_keeper::seen() const noexcept {
  return rep_->seen;
}

const log_position& partition_keeper::applied() const noexcept {
  return rep_->durable;
}

bool partition_keeper::caught_up() const noexcept {
  return rep_->has_caught_up || rep_->is == role::owning;
}

std::uint64_t partition_keeper::trimmed_to() const noexcept {
  return rep_->trimmed_to;
}

bool partition_keeper::may_act() const {
  const auto when = may_act_when();
  const auto now = rep_->with.now_ms();
  return when && now >= when->from_ms && now < when->until_ms;
}

std::optional<partition_keeper::acting> partition_keeper::may_act_when() const {
  // From when it is sent a yield may be there, and another owner act.
  const auto lets_go = rep_->own && rep_->own->row.head.kind == record_kind::yield;
  if (!rep_->lease || rep_->is != role::owning || lets_go)
    return std::nullopt;
  return acting{rep_->lease->from_ms(), rep_->lease->until_ms()};
}

const std::string& partition_keeper::halted() const noexcept {
  return rep_->halted;
}

bool partition_keeper::may_yield() const {
  return rep_->lease && rep_->is == role::owning && !rep_->own && !rep_->queued &&
         rep_->lease->may_yield(rep_->with.now_ms());
}

} // namespace vicket
