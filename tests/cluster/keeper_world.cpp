#include "tests/cluster/keeper_world.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace vicket::testing {

namespace {

using role = partition_keeper::role;
using append_end = append_settling::step;
using fate = simulated_database::fate;

constexpr std::uint32_t partition = 0;
constexpr std::int64_t poll_ms = 100;
constexpr std::int64_t write_ms = 40;

std::string name_of(std::size_t node) {
  return "node-" + std::to_string(node);
}

std::shared_ptr<const record_codec> the_codec() {
  static const auto codec = std::make_shared<const record_codec>(
      std::make_shared<secret_box>(secret_bytes{std::string(secret_box::key_bytes, 'k')}), "cluster");
  return codec;
}

const log_row& genesis() {
  static const auto row = [] {
    const record_head head{partition, 1, 1, record_kind::genesis, 0};
    log_row made{head, {}, the_codec()->seal(head, {}, {})};
    made.digest = digest_of({}, head, made.body);
    return made;
  }();
  return row;
}

} // namespace

/// Answers come into a node's inbox, which it reads when it is not paused.
class keeper_world::queued_table final : public log_table {
public:
  queued_table(simulated_database& database, std::deque<std::function<void()>>& inbox)
      : table_{database}, inbox_{inbox} {}

  void append(const log_row& row, const record_digest& before, bool afresh,
              std::function<void(append_answer)> done) override {
    table_.append(row, before, afresh, queued<append_answer>(std::move(done)));
  }
  void look(std::uint32_t of, std::uint64_t number, std::function<void(look_answer)> done) override {
    table_.look(of, number, queued<look_answer>(std::move(done)));
  }
  void read(std::uint32_t of, std::uint64_t from, std::size_t max_bytes,
            std::function<void(read_answer)> done) override {
    table_.read(of, from, max_bytes, queued<read_answer>(std::move(done)));
  }
  void glance(std::uint32_t of, std::uint64_t known, std::function<void(glance_answer)> done) override {
    table_.glance(of, known, queued<glance_answer>(std::move(done)));
  }
  void note_owner(std::uint32_t of, const std::string& node, std::uint64_t epoch,
                  std::function<void(bool)> done) override {
    table_.note_owner(of, node, epoch, queued<bool>(std::move(done)));
  }
  void halt(std::uint32_t of, const std::string& why, std::function<void(bool)> done) override {
    table_.halt(of, why, queued<bool>(std::move(done)));
  }
  void trim(std::uint32_t of, std::uint64_t epoch, std::uint64_t below,
            std::function<void(bool)> done) override {
    table_.trim(of, epoch, below, queued<bool>(std::move(done)));
  }

private:
  template <class Answer>
  std::function<void(Answer)> queued(std::function<void(Answer)> done) {
    return [weak = std::weak_ptr{alive_}, this, done = std::move(done)](Answer answer) {
      if (weak.lock()) // else the process that asked is gone
        inbox_.push_back([done, answer = std::move(answer)] { done(answer); });
    };
  }

  simulated_table table_;
  std::deque<std::function<void()>>& inbox_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

keeper_world::keeper_world(std::uint64_t seed, std::size_t nodes, const faults& with)
    : random_{seed}, faults_{with}, nodes_(nodes) {
  simulated_table maker{database_};
  maker.append(genesis(), {}, false, [](const auto&) {});
  database_.let_all_happen();
  for (std::size_t i = 0; i < nodes; ++i) {
    nodes_[i].clock_offset_ms = static_cast<std::int64_t>(pick(100'000'000));
    start(i);
  }
}

keeper_world::~keeper_world() = default;

// -- a node -----------------------------------------------------------------------------------------------------------

void keeper_world::start(std::size_t which) {
  auto& it = nodes_[which];
  it.keeper.reset();
  it.witness.reset();
  it.inbox.clear();
  it.table = std::make_unique<queued_table>(database_, it.inbox);
  ++it.life;
  partition_witness::setup looking;
  looking.partition = partition;
  looking.table = it.table.get();
  looking.now_ms = [this, which] { return now_ms_ + nodes_[which].clock_offset_ms; };
  looking.went_back = [this](const std::string& why) { complain("a node that only looks: " + why); };
  it.witness = std::make_unique<partition_witness>(std::move(looking));
  follow(which);
  wait(which, static_cast<std::int64_t>(pick(poll_ms)), [this, which] { beat(which); });
  wait(which, write_ms, [this, which] { write(which); });
}

void keeper_world::follow(std::size_t which) {
  auto& it = nodes_[which];
  partition_keeper::setup setup;
  setup.partition = partition;
  setup.self = {name_of(which), it.life};
  setup.appender = {it.table.get(),
                    [this, which](std::int64_t ms, auto then) { wait(which, ms, std::move(then)); }};
  setup.codec = the_codec();
  const auto& begin = genesis();
  setup.begin.history = log_history{begin.head, begin.digest, false};
  if (!it.store.empty())
    setup.begin = {log_history{it.store.back().head, it.store.back().digest, true}, std::nullopt,
                   it.store.back().copies};
  setup.now_ms = [this, which] { return now_ms_ + nodes_[which].clock_offset_ms; };
  setup.apply = [this, which](const record_head& head, const record_digest& digest, std::string_view) {
    return apply(which, head, digest);
  };
  setup.changed = [this](role now, const std::string& why) {
    claims_ += now == role::owning ? 1 : 0;
    if (now == role::broken || now == role::behind)
      complain("a node follows no more: " + why);
  };
  it.keeper = std::make_unique<partition_keeper>(std::move(setup));
}

void keeper_world::wait(std::size_t which, std::int64_t ms, std::function<void()> then) {
  timers_.push({now_ms_ + ms, timers_made_++, which, nodes_[which].life, std::move(then)});
}

/// Every 100 ms: shows a sign of life, and reads on, or looks.
void keeper_world::beat(std::size_t which) {
  auto& it = nodes_[which];
  const auto sent = now_ms_ + it.clock_offset_ms;
  it.table->look(partition, 1, [this, which, sent](const log_table::look_answer& answer) {
    if (!answer.answered)
      return;
    nodes_[which].witness->lived(sent);
    if (nodes_[which].keeper)
      nodes_[which].keeper->lived(sent);
  });
  if (it.keeper) {
    beat_keeper(which);
  } else {
    it.witness->poll();
    // It is told to, or nobody else does.
    if (it.witness->is_silent(static_cast<std::uint32_t>(which)) || (faults_.moves && chance(0.01)))
      follow(which);
  }
  wait(which, poll_ms, [this, which] { beat(which); });
}

/// Looks whether there is something to claim, and stops when it has read that it does not keep the partition.
void keeper_world::beat_keeper(std::size_t which) {
  auto& it = nodes_[which];
  it.keeper->poll();
  if (const auto& owner = it.keeper->seen().owner; owner && is_taken_for_gone(*owner))
    it.keeper->owner_is_gone();
  it.keeper->tick(static_cast<std::uint32_t>(which));
  const auto is_out = [&](const log_position& at) {
    return !at.copies.empty() && !keeps(at.copies, name_of(which));
  };
  if (it.keeper->now() != role::following || it.keeper->busy() || !it.keeper->caught_up() ||
      !is_out(it.keeper->seen()) || !is_out(it.keeper->applied()) || !chance(0.2))
    return;
  const auto& last = it.keeper->applied().history;
  it.witness->knows(last.last().number, last.digest());
  it.keeper.reset();
  ++moves_;
}

/// What the table of members says, or what somebody does who starts a second process under a node's name.
bool keeper_world::is_taken_for_gone(const claim_owner& owner) {
  const auto which = static_cast<std::size_t>(owner.node.back() - '0');
  return nodes_[which].life > owner.incarnation || (faults_.successions && chance(0.01));
}

void keeper_world::write(std::size_t which) {
  auto& it = nodes_[which];
  if (it.keeper && it.keeper->now() == role::owning) {
    auto copies = it.keeper->seen().copies;
    const auto moves = faults_.moves && chance(0.01);
    if (moves) {
      copies = {name_of(which)};
      for (std::size_t i = 0; i < nodes_.size(); ++i)
        if (i != which && chance(0.5))
          copies.push_back(name_of(i));
    } else if (!copies.empty() && !keeps(copies, name_of(which))) {
      copies.push_back(name_of(which));
    }
    if (copies != it.keeper->seen().copies)
      it.keeper->hand_to(std::move(copies));
  }
  if (it.keeper && it.keeper->now() == role::owning && !it.keeper->busy()) {
    if (faults_.yields && it.keeper->may_yield() && chance(0.01))
      it.keeper->yield();
    else
      it.keeper->append("round " + std::to_string(++written_), [this, which](append_end how) {
        if (how == append_end::durable) {
          const auto& history = nodes_[which].keeper->seen().history;
          acknowledged_[history.last().number] = history.digest();
        }
      });
  }
  wait(which, write_ms, [this, which] { write(which); });
}

bool keeper_world::apply(std::size_t which, const record_head& head, const record_digest& digest) {
  auto& it = nodes_[which];
  if (!it.store.empty() && it.store.back().head.number >= head.number)
    complain("a record was applied twice, or backwards");
  for (const auto& other : nodes_)
    if (const auto found = other.seen.find(head.number); found != other.seen.end() && found->second != digest)
      complain("two nodes have applied different records of number " + std::to_string(head.number));
  it.seen[head.number] = digest;
  it.store.push_back({head, digest, it.keeper->applied().copies});
  if (chance(0.1))
    it.synced = it.store.size();
  return true;
}

// -- chance -----------------------------------------------------------------------------------------------------------

void keeper_world::run(int steps) {
  for (auto i = 0; i < steps && violation_.empty(); ++i) {
    step();
    look();
  }
}

void keeper_world::step() {
  if (chance(0.0005))
    make_trouble();
  if (now_ms_ < standby_away_until_ms_ && chance(0.001)) {
    standby_away_until_ms_ = 0;
    database_.fail_over(); // it had gone to be the primary
  }
  switch (pick(4)) {
  case 0:
    return let_a_call_happen();
  case 1:
  case 2:
    return deliver();
  default:
    advance(static_cast<std::int64_t>(pick(12)));
  }
}

void keeper_world::let_a_call_happen() {
  if (database_.under_way() == 0 || now_ms_ < outage_until_ms_)
    return;
  if (now_ms_ < slow_until_ms_ && !chance(0.01))
    return;
  const auto which = pick(database_.under_way());
  if (now_ms_ < standby_away_until_ms_ && !database_.only_reads(which)) {
    if (chance(0.05)) // else its commit waits for the standby
      database_.let_happen(which, fate::cut_after);
    return;
  }
  auto how = fate::done;
  if (faults_.cut_answers && chance(0.02)) {
    constexpr fate all[] = {fate::refused, fate::cut_before, fate::cut_after, fate::cut_and_late};
    how = all[pick(std::size(all))];
  }
  database_.let_happen(which, how);
}

void keeper_world::deliver() {
  const auto which = pick(nodes_.size());
  auto& it = nodes_[which];
  if (is_paused(it) || it.inbox.empty())
    return;
  const auto answer = std::move(it.inbox.front());
  it.inbox.pop_front();
  answer();
}

void keeper_world::advance(std::int64_t ms) {
  now_ms_ += ms;
  std::vector<timer> late; // of nodes that are paused
  while (!timers_.empty() && timers_.top().at_ms <= now_ms_) {
    auto due = timers_.top();
    timers_.pop();
    const auto& it = nodes_[due.node];
    if (it.life != due.life)
      continue;
    if (is_paused(it))
      late.push_back(std::move(due));
    else
      due.then();
  }
  for (auto& each : late)
    timers_.push(std::move(each));
}

void keeper_world::make_trouble() {
  auto& it = nodes_[pick(nodes_.size())];
  const auto which = static_cast<std::size_t>(&it - nodes_.data());
  switch (pick(6)) {
  case 0:
    if (faults_.failovers && chance(0.5))
      database_.fail_over();
    else if (faults_.failovers)
      standby_away_until_ms_ = now_ms_ + static_cast<std::int64_t>(pick(2'000));
    return;
  case 1:
    if (faults_.outages)
      outage_until_ms_ = now_ms_ + static_cast<std::int64_t>(pick(4'000));
    return;
  case 2:
    if (faults_.slow_commits)
      slow_until_ms_ = now_ms_ + static_cast<std::int64_t>(pick(4'000));
    return;
  case 3:
    if (faults_.kills) {
      if (chance(0.5)) // the machine, not only the process
        it.store.resize(it.synced);
      it.paused_until_ms = 0;
      start(which);
    }
    return;
  default:
    if (faults_.pauses)
      it.paused_until_ms = now_ms_ + static_cast<std::int64_t>(pick(12'000));
  }
}

// -- what must never be seen ------------------------------------------------------------------------------------------

void keeper_world::complain(const std::string& what) {
  if (violation_.empty())
    violation_ = what;
}

void keeper_world::look() {
  auto acting = std::size_t{0};
  for (const auto& it : nodes_)
    acting += !is_paused(it) && it.keeper && it.keeper->may_act() ? 1 : 0;
  acts_ += acting;
  if (acting > 1)
    complain("two nodes act as owners at the same time");
}

void keeper_world::calm_down() {
  faults_ = {false, false, false, false, false, false, false, false, false};
  outage_until_ms_ = slow_until_ms_ = standby_away_until_ms_ = 0;
  for (auto& it : nodes_)
    it.paused_until_ms = 0;
  const auto quiet_from = now_ms_ + 30'000;
  while (now_ms_ < quiet_from && violation_.empty()) {
    step();
    look();
  }
  const auto before = acknowledged_.size();
  while (now_ms_ < quiet_from + 10'000 && violation_.empty()) {
    step();
    look();
  }
  if (!violation_.empty())
    return;
  if (acknowledged_.size() < before + 20)
    return complain("nothing goes on after the faults");
  database_.fail_over(); // what was acknowledged is there without this server
  const auto& rows = database_.rows(partition);
  for (const auto& [number, digest] : acknowledged_)
    if (const auto found = rows.find(number); found == rows.end() || found->second.digest != digest)
      return complain("record " + std::to_string(number) + " was acknowledged, and is not there");
  for (const auto& it : nodes_)
    for (const auto& [number, digest] : it.seen)
      if (const auto found = rows.find(number); found == rows.end() || found->second.digest != digest)
        return complain("record " + std::to_string(number) + " was applied, and is not there");
  const auto owners = std::count_if(nodes_.begin(), nodes_.end(), [](const node& it) {
    return it.keeper && it.keeper->now() == role::owning;
  });
  if (owners != 1)
    return complain("there are " + std::to_string(owners) + " owners after the faults");
  const auto copies = copies_at(rows.rbegin()->first);
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    const auto& it = nodes_[i];
    if (!it.keeper)
      continue;
    if (it.store.empty() || it.store.back().head.number + 60 < rows.rbegin()->first)
      return complain("a node does not follow after the faults");
    if (it.keeper->applied().copies != copies)
      return complain("a node has not read who keeps the partition");
    if (!copies.empty() && !keeps(copies, name_of(i)))
      return complain("a node follows what others keep");
  }
}

/// As the log says.
placement_copies keeper_world::copies_at(std::uint64_t number) const {
  const auto& rows = database_.rows(partition);
  for (auto at = rows.find(number); at != rows.begin(); --at)
    if (at->second.head.kind == record_kind::copies)
      return decode_copies(
                 the_codec()->open(at->second.head, std::prev(at)->second.digest, at->second.body).value())
          .value();
  return {};
}

} // namespace vicket::testing
