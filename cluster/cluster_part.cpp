#include "cluster/cluster_part.hpp"

#include "cluster/log_position.hpp"
#include "cluster/membership.hpp"
#include "cluster/partition_keeper.hpp"
#include "cluster/while_alive.hpp"
#include "policy/assertion.hpp"
#include "policy/lease.hpp"
#include "policy/placement.hpp"
#include "storage/settings_copy.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace vicket {

namespace {

using role = partition_keeper::role;
using step = append_settling::step;

constexpr std::int64_t retry_ms = 200;
/// The others are there, or not, for so long before partitions are moved to even out what the nodes own.
constexpr std::int64_t settled_ms = 5'000;

std::string hex(std::uint64_t value) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (auto shift = 60; shift >= 0; shift -= 4)
    text += digits[value >> shift & 0xf];
  return text;
}

} // namespace

struct cluster_part::rep : std::enable_shared_from_this<rep> {
  /// A partition as this node has it.
  struct seat {
    std::uint32_t number = 0;
    std::shared_ptr<partition_store> store;
    std::unique_ptr<partition_keeper> keeper; ///< null: this node has not entered yet
    std::uint64_t keeper_of = 0;              ///< the life that it claims for
    std::shared_ptr<start_permit> permit;     ///< while it owns it
    std::int64_t owned_since_ms = 0;
    bool started = false;    ///< the writer is there, or is going
    bool stopping = false;   ///< `stop` was called, and `gone` was not
    bool letting_go = false; ///< `drain` was called
    bool drained = false;
    std::string ended; ///< why it is not followed any more; empty: it is
    cluster_part::owner told;
    std::uint64_t noted_epoch = 0; ///< of this node's last claim that the table says
    bool noting = false;
    std::int64_t synced_at_ms = 0;
    std::uint64_t synced_to = 0;
  };

  /// The log of a partition that this node owns, for its writer.
  class owned_log final : public round_log {
  public:
    owned_log(std::weak_ptr<rep> node, std::uint32_t partition)
        : node_{std::move(node)}, partition_{partition} {}

    void append(const sealed_round& round, completion done) override {
      if (const auto node = node_.lock())
        node->post([partition = partition_, bytes = std::make_shared<std::string>(round.bytes()),
                    done = std::move(done)](rep& self) { self.append(partition, std::move(*bytes), done); });
    }
    [[nodiscard]] store_status resume() override { return {}; }

  private:
    std::weak_ptr<rep> node_;
    std::uint32_t partition_;
  };

  explicit rep(setup given)
      : with{std::move(given)}, codec{std::make_shared<record_codec>(with.key, with.uuid)} {}

  // -- beginning and end ---------------------------------------------------------------------------------------------

  void begin() {
    with.self.life = hex(with.random->next()) + hex(with.random->next());
    membership::setup entering;
    entering.table = with.members;
    entering.self = with.self;
    entering.now_ms = with.now_ms;
    entering.lived = [this](std::int64_t first_sent_ms) {
      for (const auto& each : seats)
        if (each->keeper)
          each->keeper->lived(first_sent_ms);
    };
    entering.replaced = [this] { with.replaced(); };
    members = std::make_unique<membership>(std::move(entering));
    for (std::uint32_t i = 0; i < with.stores.size(); ++i) {
      seats.push_back(std::make_unique<seat>());
      seats.back()->number = i;
      seats.back()->store = with.stores[i];
    }
  }

  /// On the thread: nothing is called from here on.
  void end() {
    ended = true;
    for (const auto& each : seats) {
      if (each->permit)
        each->permit->forbid();
      each->keeper.reset();
    }
    members.reset();
  }

  void wait(std::int64_t ms, std::function<void()> then) {
    with.wait(ms, internal::while_alive(weak_from_this(), [then = std::move(then)](rep& self) {
                if (!self.ended)
                  then();
              }));
  }

  /// On the thread, later; from any thread.
  template <class Work>
  void post(Work work) {
    with.post(internal::while_alive(weak_from_this(), [work = std::move(work)](rep& self) {
      if (!self.ended)
        work(self);
    }));
  }

  // -- every 100 ms --------------------------------------------------------------------------------------------------

  void tick() {
    if (ended)
      return;
    const auto now = with.now_ms();
    members->tick();
    for (const auto& each : seats)
      tick(*each, now);
    look_around(now);
    even_out(now);
    tell_copies(now);
    tell_what_is_wrong();
  }

  void tick(seat& of, std::int64_t now) {
    const auto life = members->incarnation(); // 0: it has to enter first, or again
    // A claim is of one life: of another one the keeper begins anew, once nothing is under way.
    const auto is_older = of.keeper && of.keeper_of != life && of.keeper->now() == role::following &&
                          !of.keeper->busy() && !of.stopping;
    if (life != 0 && (is_older || (!of.keeper && of.ended.empty())))
      follow(of);
    if (!of.keeper)
      return;
    auto& keeper = *of.keeper;
    if (of.stopping) // its writer may still be reading the store
      return;
    keeper.poll(); // of one that has ended, too: it may have to halt the log
    if (!of.ended.empty())
      return;
    if (is_settings(of) && keeper.complete_ms() != 0)
      with.settings_fresh->allow(0, keeper.complete_ms() + settings_copy::fresh_ms);
    const auto& owner = keeper.owner();
    if (owner && members->others().is_superseded(owner->node, owner->incarnation))
      keeper.owner_is_gone();
    if (keeper.now() == role::owning)
      keeper.tick(0); // signs of life
    else if (!closing && of.keeper_of == life && failovers.may_claim(now))
      keeper.tick(rank_in(of.number, keeper, now));
    refresh(of);
    note_owner(of);
    if (of.drained && keeper.may_yield())
      keeper.yield();
    tell_owner(of);
    keep_position(of, now);
  }

  /// From what the store has.
  void follow(seat& of) {
    partition_keeper::setup setup;
    setup.partition = of.number;
    setup.self = {with.self.node, members->incarnation()};
    setup.appender = {with.table,
                      [this](std::int64_t ms, std::function<void()> then) { wait(ms, std::move(then)); }};
    setup.codec = codec;
    if (const auto bytes = of.store->position(); !bytes.empty()) {
      auto position = decode_log_position(bytes);
      if (!position) {
        of.ended = "its store says in no way that this program knows where in the log it stands";
        return warn(of, of.ended);
      }
      setup.history = position->history;
      setup.owner = std::move(position->owner);
      of.synced_to = setup.history.last().number;
    }
    setup.now_ms = with.now_ms;
    setup.prompt = is_settings(of);
    setup.apply = [this, &of](const record_head& head, const record_digest& digest, std::string_view round) {
      return apply(of, head, digest, round);
    };
    setup.changed = [this, &of](role now, const std::string& why) { changed(of, now, why); };
    of.keeper_of = members->incarnation();
    of.keeper = std::make_unique<partition_keeper>(std::move(setup));
  }

  bool apply(seat& of, const record_head& head, const record_digest& digest, std::string_view bytes) {
    const auto round = sealed_round::parse(std::string{bytes});
    if (!round) {
      warn(of, "record " + std::to_string(head.number) + " is no round that this program can read");
      return false;
    }
    const log_position position{log_history{head, digest, true}, of.keeper->applied_owner()};
    const auto status = of.store->apply(*round, partition_store::durability::unsynced, encode(position));
    if (!status.ok())
      warn(of, status.detail);
    return status.ok();
  }

  void keep_position(seat& of, std::int64_t now) {
    const auto& applied = of.keeper->applied();
    if (now - of.synced_at_ms < sync_ms || applied.empty() || applied.last().number == of.synced_to)
      return;
    of.synced_at_ms = now;
    const auto status = of.store->keep_position(encode({applied, of.keeper->applied_owner()}));
    if (!status.ok())
      return warn(of, status.detail);
    of.synced_to = applied.last().number;
  }

  void tell_copies(std::int64_t now) {
    if (now - copies_told_ms < sync_ms)
      return;
    copies_told_ms = now;
    std::vector<member_table::copy> all;
    for (const auto& each : seats)
      if (each->synced_to != 0)
        all.push_back({each->number, each->synced_to});
    if (!all.empty())
      with.members->tell_copies(with.self.node, all);
  }

  // -- owning --------------------------------------------------------------------------------------------------------

  void changed(seat& of, role now, const std::string& why) {
    switch (now) {
    case role::claiming:
      return;
    case role::owning:
      info(of, "is owned by this node from now on");
      of.permit = std::make_shared<start_permit>(with.now_ms);
      of.owned_since_ms = with.now_ms();
      return take_over(of);
    case role::following:
      break;
    case role::behind:
    case role::broken:
      of.ended = why;
      warn(of, "is not followed any more: " + why);
    }
    if (of.permit) {
      info(of, "is not owned by this node any more: " + why);
      of.permit->forbid();
      of.permit = nullptr;
    }
    of.letting_go = of.drained = false;
    if (std::exchange(of.started, false)) {
      of.stopping = true;
      with.stop(of.number, [weak = weak_from_this(), number = of.number] {
        if (const auto self = weak.lock())
          self->post([number](rep& it) { it.seats[number]->stopping = false; });
      });
    }
  }

  /// Until it is there: who looks at the table, as `vicket cluster status` does, knows it from nowhere else.
  void note_owner(seat& of) {
    const auto epoch = of.keeper->history().last().epoch;
    if (!of.permit || of.noted_epoch == epoch || of.noting)
      return;
    of.noting = true;
    with.table->note_owner(of.number, with.self.node, epoch,
                           internal::while_alive(weak_from_this(), [&of, epoch](rep& self, bool done) {
                             if (self.ended)
                               return;
                             of.noting = false;
                             if (done)
                               of.noted_epoch = epoch;
                           }));
  }

  /// What the owner writes first; then its writer may begin. (Not in the keeper's own call: it is about to go on.)
  void take_over(seat& of) {
    post([number = of.number](rep& self) { self.append_first(*self.seats[number]); });
  }

  void append_first(seat& of) {
    if (!of.keeper || of.keeper->now() != role::owning || of.started || !of.permit)
      return;
    auto first = of.store->take_over(of.keeper->history().last().epoch,
                                     static_cast<std::uint32_t>(with.random->next()));
    if (const auto* why = std::get_if<store_status>(&first)) {
      warn(of, why->detail);
      return wait(retry_ms, [this, &of] { append_first(of); });
    }
    of.keeper->append(
        std::string{std::get<sealed_round>(first).bytes()}, [this, &of, permit = of.permit](step how) {
          if (ended || of.permit != permit)
            return;
          if (how == step::refused)
            return wait(retry_ms, [this, &of] { append_first(of); });
          if (how != step::durable)
            return; // it is not the owner any more
          of.started = true;
          refresh(of);
          with.start(of.number, std::make_unique<owned_log>(weak_from_this(), of.number), permit);
        });
  }

  void append(std::uint32_t number, std::string bytes, round_log::completion done) {
    if (ended)
      return;
    auto& of = *seats[number];
    if (!of.keeper || !of.started)
      return; // its writer is about to end, and answers for nothing
    of.keeper->append(std::move(bytes), [this, &of, done = std::move(done)](step how) {
      if (ended)
        return;
      refresh(of);
      if (how == step::durable)
        done({});
      else if (how == step::refused)
        done({store_errc::away, "the cluster's log can't be written to"});
    });
  }

  void refresh(seat& of) const {
    if (!of.permit || !of.keeper)
      return;
    if (const auto when = of.keeper->may_act_when(); when && !of.letting_go)
      of.permit->allow(when->from_ms, when->until_ms);
    else if (!when)
      of.permit->forbid();
  }

  void let_go(seat& of) {
    if (of.letting_go || !of.started)
      return;
    of.letting_go = true;
    with.drain(of.number, [weak = weak_from_this(), number = of.number] {
      if (const auto self = weak.lock())
        self->post([number](rep& it) {
          if (it.seats[number]->letting_go)
            it.seats[number]->drained = true;
        });
    });
  }

  [[nodiscard]] bool owns_any() const {
    return std::any_of(seats.begin(), seats.end(), [](const auto& each) {
      return each->keeper && (each->keeper->now() == role::owning || each->keeper->now() == role::claiming);
    });
  }

  // -- who owns what -------------------------------------------------------------------------------------------------

  /// Whoever should own it comes first, then the others in the partition's own order, and who has let it go last.
  std::uint32_t rank_in(std::uint32_t partition, const partition_keeper& keeper, std::int64_t now) const {
    const auto& others = members->others();
    const auto& self = with.self.node;
    const auto rank = others.rank_of(self, partition, now);
    const auto& last = keeper.owner();
    const auto let_go = last && keeper.history().last().kind == record_kind::yield;
    if (!let_go)
      return rank;
    if (last->node == self)
      return static_cast<std::uint32_t>(others.present(now).size());
    return partition < wanted.size() && !wanted[partition].empty() && wanted[partition].front() == self
               ? 0
               : rank + 1;
  }

  /// On which timeline this node and the others have looked at their logs.
  void look_around(std::int64_t now) {
    const auto& rows = members->rows();
    const auto own = std::find_if(rows.begin(), rows.end(),
                                  [this](const member_row& row) { return row.node == with.self.node; });
    if (own == rows.end())
      return;
    if (own->timeline != timeline) {
      timeline = own->timeline;
      timeline_since_ms = now;
    }
    if (std::all_of(seats.begin(), seats.end(), [this](const auto& each) {
          return !each->ended.empty() || (each->keeper && each->keeper->looked_ms() > timeline_since_ms);
        }))
      members->say_looked(timeline);
    const auto lowest =
        std::min_element(rows.begin(), rows.end(),
                         [](const member_row& a, const member_row& b) { return a.looked_at < b.looked_at; });
    failovers.seen(timeline, lowest->looked_at, now);
  }

  /// Lets go of a partition that another node should own, one at a time, once the nodes that are there have been the same for
  /// a while.
  void even_out(std::int64_t now) {
    auto present = members->others().present(now);
    std::vector<std::string> names;
    for (const auto& each : present)
      names.push_back(each.name);
    if (names != last_present) {
      last_present = std::move(names);
      present_since_ms = now;
      wanted.clear();
    }
    if (closing || now - present_since_ms < settled_ms || now - evened_at_ms < 1'000)
      return;
    evened_at_ms = now;
    std::vector<placement_copies> have;
    for (const auto& each : seats) {
      placement_copies copies;
      if (each->keeper && each->keeper->owner())
        copies.push_back(each->keeper->owner()->node);
      for (const auto& name : last_present)
        if (copies.empty() || name != copies.front())
          copies.push_back(name);
      have.push_back(std::move(copies));
    }
    // That of settings is little work: it counts for nobody's part of the others.
    const std::vector<placement_copies> settings{std::move(have.back())};
    have.pop_back();
    const placement all{std::move(present), last_present.size()};
    wanted = all.of(have);
    wanted.push_back(all.of(settings).front());
    if (std::any_of(seats.begin(), seats.end(),
                    [](const auto& each) { return each->letting_go || each->stopping; }))
      return;
    for (const auto& each : seats)
      if (each->started && each->keeper->may_act() && now - each->owned_since_ms >= settled_ms &&
          !wanted[each->number].empty() && wanted[each->number].front() != with.self.node) {
        info(*each, "is let go: " + wanted[each->number].front() + " is to own it");
        return let_go(*each);
      }
  }

  void tell_owner(seat& of) {
    cluster_part::owner is;
    const auto& last = of.keeper->owner();
    const auto& history = of.keeper->history();
    is.epoch = history.last().epoch;
    if (last && history.owned()) {
      is.node = last->node;
      if (last->node != with.self.node)
        for (const auto& row : members->rows())
          if (row.node == last->node)
            is.addresses = row.addresses;
    }
    if (is.node == with.self.node && !of.started)
      is.node.clear(); // an earlier life's, or not yet
    if (is == of.told)
      return;
    of.told = is;
    with.owner_is(of.number, is);
  }

  void tell_what_is_wrong() {
    std::string wrong;
    for (const auto& each : seats)
      if (!each->ended.empty())
        wrong += (wrong.empty() ? "" : "; ") + called(*each) + ": " + each->ended;
    members->say_wrong(wrong);
    if (members->trouble() != last_trouble) {
      last_trouble = members->trouble();
      if (last_trouble.empty())
        with.log_info("the cluster's log can be reached again");
      else
        with.log_warning("the cluster's log: " + last_trouble);
    }
  }

  [[nodiscard]] bool is_settings(const seat& of) const { return of.number + 1 == with.stores.size(); }
  [[nodiscard]] std::string called(const seat& of) const {
    return "partition " + (is_settings(of) ? "settings" : std::to_string(of.number));
  }
  void info(const seat& of, const std::string& what) const { with.log_info(called(of) + " " + what); }
  void warn(const seat& of, const std::string& what) const { with.log_warning(called(of) + ": " + what); }

  setup with;
  std::shared_ptr<const record_codec> codec;
  std::unique_ptr<membership> members;
  std::vector<std::unique_ptr<seat>> seats;
  std::vector<placement_copies> wanted; ///< by partition, the owner first; empty: nobody looked yet
  std::vector<std::string> last_present;
  std::int64_t present_since_ms = 0;
  std::int64_t evened_at_ms = 0;
  std::int64_t copies_told_ms = 0;
  std::string last_trouble;
  failover_watch failovers;
  std::uint64_t timeline = 0; ///< of the server that this node speaks to
  std::int64_t timeline_since_ms = 0;
  bool closing = false;
  bool ended = false;
};

cluster_part::cluster_part(setup with) : rep_{std::make_shared<rep>(std::move(with))} {
  rep_->begin();
}

cluster_part::~cluster_part() {
  rep_->end();
}

void cluster_part::tick() {
  rep_->tick();
}

void cluster_part::close() {
  if (!std::exchange(rep_->closing, true))
    rep_->members->say_leaving();
  for (const auto& each : rep_->seats)
    rep_->let_go(*each);
}

bool cluster_part::owns_any() const {
  return rep_->owns_any();
}

std::shared_ptr<const start_permit> cluster_part::permit_of(std::uint32_t partition) const {
  return rep_->seats[partition]->permit;
}

const std::string& cluster_part::trouble_of(std::uint32_t partition) const {
  return rep_->seats[partition]->ended;
}

} // namespace vicket
