#include "cluster/cluster_part.hpp"

#include "cluster/copy_board.hpp"
#include "cluster/log_position.hpp"
#include "cluster/membership.hpp"
#include "cluster/partition_keeper.hpp"
#include "cluster/partition_witness.hpp"
#include "cluster/while_alive.hpp"
#include "policy/assertion.hpp"
#include "policy/copies.hpp"
#include "policy/lease.hpp"
#include "policy/log_trimming.hpp"
#include "policy/peer_contact.hpp"
#include "policy/placement.hpp"
#include "storage/settings_copy.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <utility>

namespace vicket {

namespace {

using role = partition_keeper::role;
using step = append_settling::step;

constexpr std::int64_t retry_ms = 200;
/// The others are there, or not, for so long before partitions are moved to even out what the nodes own.
constexpr std::int64_t settled_ms = 5'000;
/// An owner lets one copy after the other begin, so that what they read does not slow down the rest; one that takes longer is
/// not waited for.
constexpr std::int64_t joining_ms = 60'000;
/// After it has stopped following a node is not told again so soon: what told it before may be out of date.
constexpr std::int64_t rest_ms = 3'000;
/// A node that does not keep a partition claims it only where nobody who keeps it is there, or has claimed it for so long: 30 s.
constexpr std::uint32_t rank_of_others = 60;
/// Between two tries of a store whose disk was full, and of any two.
constexpr std::int64_t store_pause_ms = 5'000;
constexpr std::int64_t any_store_pause_ms = 1'000;
/// Between two tries to get a checkpoint: at first, and at most.
constexpr std::int64_t first_take_pause_ms = 1'000;
constexpr std::int64_t longest_take_pause_ms = 30'000;

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
    std::unique_ptr<partition_keeper> keeper; ///< null: this node does not follow it, or has not entered yet
    std::unique_ptr<partition_witness> witness;
    std::int64_t glanced_ms = 0;
    std::int64_t rest_until_ms = 0;
    placement_copies stored_copies;              ///< as far as the store has read, where it is not followed
    bool volunteers = false;                     ///< it follows since nobody else seems to
    std::optional<std::uint64_t> volunteered_at; ///< record: all that there was when it had read that
    std::int64_t joining_since_ms =
        0; ///< as its owner: since when a copy that is not complete is waited for; 0: none is
    std::uint64_t noted_reads =
        0; ///< of the table of copies, when this owner last said who keeps the partition
    std::uint64_t keeper_of = 0;          ///< the life that it claims for
    std::shared_ptr<start_permit> permit; ///< while it owns it
    std::int64_t owned_since_ms = 0;
    bool started = false;    ///< the writer is there, or is going
    bool stopping = false;   ///< `stop` was called, and `gone` was not
    bool letting_go = false; ///< `drain` was called
    bool drained = false;
    std::string ended;     ///< why it is not followed any more; empty: it is
    store_status store_is; ///< what it said last, while the keeper is stalled
    std::int64_t try_again_at_ms = 0;
    cluster_part::owner told;
    std::uint64_t noted_epoch = 0; ///< of this node's last claim that the table says
    bool noting = false;
    std::int64_t synced_at_ms = 0;
    std::uint64_t synced_to = 0;
    // Where the log does not reach back to what the store has.
    bool needs_checkpoint = false;
    bool taking = false;          ///< the store is not this thread's
    std::uint64_t needs_from = 0; ///< the first record of the log that it needs
    std::int64_t take_again_at_ms = 0;
    std::size_t tries = 0;
    std::string took_from;
    std::string why_none; ///< there is no checkpoint for it yet; empty: it can be hoped for
    // What is kept no more.
    std::uint64_t out_at =
        0; ///< record, in which it was read that others keep it; 0: it is not so, or it is cleared
    std::int64_t out_since_ms = 0;
    bool clearing = false;     ///< likewise
    bool clears_again = false; ///< there was no room for an empty store, and there is none
    std::optional<log_ages> ages;
    std::uint64_t passed_bytes = 0; ///< of the log, in this process
    std::int64_t trim_at_ms = 0;
    std::uint64_t trim_below = 0; ///< 0: nothing is to go
    std::vector<std::string> out; ///< as its owner: whose copies are too far behind to be waited for
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
      for (const auto& each : seats) {
        each->witness->lived(first_sent_ms);
        if (each->keeper)
          each->keeper->lived(first_sent_ms);
      }
    };
    entering.replaced = [this] { with.replaced(); };
    members = std::make_unique<membership>(std::move(entering));
    const auto partitions = static_cast<std::uint32_t>(with.stores.size());
    board = std::make_unique<copy_board>(
        copy_board::setup{with.members, partitions, with.now_ms, at_most_kept(copy_board::tell_ms)});
    for (std::uint32_t i = 0; i < partitions; ++i) {
      seats.push_back(std::make_unique<seat>());
      begin(*seats.back(), i);
    }
  }

  void begin(seat& of, std::uint32_t number) {
    of.number = number;
    of.store = with.stores[number];
    auto keep = with.log_keep;
    keep.keep_bytes /= std::max<std::uint64_t>(with.stores.size() - 1, 1);
    of.ages.emplace(keep);
    partition_witness::setup setup;
    setup.partition = number;
    setup.table = with.table;
    setup.now_ms = with.now_ms;
    setup.went_back = [this, &of](const std::string& why) {
      of.ended = why;
      warn(of, why);
    };
    of.witness = std::make_unique<partition_witness>(std::move(setup));
    if (const auto position = decode_log_position(of.store->position())) {
      of.stored_copies = position->copies;
      of.synced_to = position->history.last().number;
      of.witness->knows(of.synced_to, position->history.digest());
      note_if_out(of);
    }
  }

  /// On the thread: nothing is called from here on.
  void end() {
    ended = true;
    for (const auto& each : seats) {
      if (each->permit)
        each->permit->forbid();
      each->keeper.reset();
      each->witness.reset();
    }
    board.reset();
    members.reset();
  }

  /// What positions are synced and told for is to happen within the time for which the log is kept.
  [[nodiscard]] std::int64_t at_most_kept(std::int64_t ms) const {
    return std::min(ms, with.log_keep.keep_ms);
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
    if (members->incarnation() == 0 && now - reset_at_ms >= 1'000) {
      // Before it enters: others must not take what an earlier life had for what is there.
      reset_at_ms = now;
      with.members->tell_copies(stored_copies());
    }
    members->tick();
    for (const auto& each : seats)
      tick(*each, now);
    board->tick(own_copies());
    look_around(now);
    plan(now);
    look_at_peers(now);
    even_out(now);
    look_how_far(now);
    place_copies(now);
    trim(now);
    tell_what_is_wrong();
  }

  void tick(seat& of, std::int64_t now) {
    const auto life = members->incarnation(); // 0: it has to enter first, or again
    glance(of, now);
    if (of.keeper && of.keeper->now() == role::behind && of.ended.empty() && !of.stopping)
      begin_joining(of);
    if (life != 0 && !of.keeper && of.ended.empty() && !of.clearing) {
      if (of.clears_again)
        clear_again(of, now);
      else if (of.needs_checkpoint)
        join(of, now);
      else if (is_to_follow(of, now))
        follow(of);
      else
        clear_if_useless(of, now);
    }
    // A claim is of one life: of another one the keeper begins anew, once nothing is under way.
    if (life != 0 && of.keeper && of.keeper_of != life && of.keeper->now() == role::following &&
        !of.keeper->busy() && !of.stopping)
      follow(of);
    if (of.keeper && !of.stopping) // else its writer may still be reading the store
      tick_keeper(of, now);
    tell_owner(of, now);
  }

  void tick_keeper(seat& of, std::int64_t now) {
    auto& keeper = *of.keeper;
    keeper.poll(); // of one that has ended, too: it may have to halt the log
    if (!of.ended.empty())
      return;
    if (of.store->wants_resume())
      stall(of, {store_errc::full, "the disk is full"});
    if (keeper.now() == role::stalled)
      return try_store_again(of, now);
    if (keeper.now() == role::behind)
      return;
    if (is_settings(of) && keeper.complete_ms() != 0)
      with.settings_fresh->allow(0, keeper.complete_ms() + settings_copy::fresh_ms);
    const auto& owner = keeper.seen().owner;
    if (owner && members->others().is_superseded(owner->node, owner->incarnation))
      keeper.owner_is_gone();
    if (keeper.now() == role::owning)
      keeper.tick(0); // signs of life
    else if (!closing && of.keeper_of == members->incarnation() && failovers.may_claim(now))
      keeper.tick(rank_in(of.number, keeper, now));
    refresh(of);
    note_owner(of);
    note_copies(of);
    if (of.drained && keeper.may_yield())
      keeper.yield();
    keep_position(of, now);
    if (is_out(of))
      stop_following(of, now);
  }

  // -- following, or not ---------------------------------------------------------------------------------------------

  /// It follows the partition, and has read all of its log.
  [[nodiscard]] static bool is_current(const seat& of) {
    return of.keeper && of.ended.empty() && of.keeper->caught_up();
  }

  /// Of a log of which it has not read all that it knows to be there.
  [[nodiscard]] static bool needs_witness(const seat& of) {
    return !is_current(of) || of.keeper->applied().history.last().number < of.witness->known();
  }

  void glance(seat& of, std::int64_t now) {
    if (!needs_witness(of) || now - of.glanced_ms < glance_ms)
      return;
    of.glanced_ms = now;
    of.witness->poll();
  }

  /// Nothing is to be followed before it is known who is said to keep it.
  [[nodiscard]] bool is_to_follow(seat& of, std::int64_t now) {
    if (board->reads() == 0 || now < of.rest_until_ms)
      return false;
    if (is_settings(of)) // which every node decides by
      return true;
    const auto noted = board->nodes_of(of.number);
    const auto& last = of.stored_copies;
    if (keeps(noted, with.self.node) || (last.empty() ? noted.empty() : keeps(last, with.self.node)))
      return true;
    if (closing || !halted_of(of).empty() || !of.witness->is_silent(0) ||
        !of.witness->is_silent(rank_among_others(noted, of.number, now)))
      return false;
    info(of, "has no owner, and nobody who keeps it claims it: this node follows it now");
    of.volunteers = true;
    of.volunteered_at.reset();
    return true;
  }

  /// It has read to the end, and what it read says that others keep it.
  [[nodiscard]] bool is_out(seat& of) {
    const auto& keeper = *of.keeper;
    if (keeper.now() != role::following || keeper.busy() || of.stopping || of.started || !keeper.caught_up())
      return false;
    const auto is_there = [&](const log_position& at) {
      return at.copies.empty() || keeps(at.copies, with.self.node);
    };
    if (is_there(keeper.seen()) || is_there(keeper.applied()))
      return false;
    const auto last = keeper.seen().history.last().number;
    if (of.volunteers && !of.volunteered_at)
      of.volunteered_at = last;
    return !of.volunteers || last > *of.volunteered_at; // somebody goes on with it after all
  }

  void stop_following(seat& of, std::int64_t now) {
    const auto applied = of.keeper->applied();
    // So that a start does not begin with following it.
    if (const auto status = of.store->keep_position(encode(applied)); !status.ok())
      warn(of, status.detail);
    info(of, "is kept by " + encode_copies(applied.copies) + ", and not followed by this node any more");
    of.witness->knows(applied.history.last().number, applied.history.digest());
    of.stored_copies = applied.copies;
    of.synced_to = applied.history.last().number;
    note_if_out(of);
    of.rest_until_ms = now + rest_ms;
    of.volunteers = false;
    of.keeper.reset();
  }

  // -- beginning with a checkpoint of another node's store, and ending with none -------------------------------------------

  void begin_joining(seat& of) {
    of.keeper.reset();
    of.volunteers = false;
    of.needs_checkpoint = true;
    of.needs_from = 0;
    of.tries = 0;
    of.take_again_at_ms = with.now_ms();
  }

  /// Somebody waits for this node's copy: it is noted, or nobody is.
  [[nodiscard]] bool is_wanted(const seat& of) const {
    const auto noted = board->nodes_of(of.number);
    return is_settings(of) || noted.empty() || keeps(noted, with.self.node);
  }

  void join(seat& of, std::int64_t now) {
    if (of.taking) {
      if (!is_wanted(of))
        with.stop_taking(of.number);
      return;
    }
    if (closing || board->reads() == 0)
      return;
    if (!is_wanted(of)) {
      of.why_none = of.witness->is_silent(0)
                        ? "it has no owner, its log is trimmed, and what is gone from there has only "
                          "who keeps it: they are waited for"
                        : "";
      return;
    }
    if (now < of.take_again_at_ms || of.witness->looked_ms() < of.take_again_at_ms)
      return;
    of.needs_from = std::max<std::uint64_t>(of.witness->trimmed_to(), 1);
    // First the others have to know: what a node says is there when it can be read again.
    const auto noted = board->row_of(of.number, with.self.node);
    if (noted ? noted->complete || noted->synced_to > of.needs_from : !board->nodes_of(of.number).empty())
      return;
    if (std::any_of(seats.begin(), seats.end(), [](const auto& each) { return each->taking; }))
      return;
    const auto from = source_of(of, now);
    if (!from) {
      of.why_none = "the log begins with record " + std::to_string(of.needs_from) +
                    ", and no other node that is there has a whole copy";
      return;
    }
    of.taking = true;
    of.took_from = from->node;
    info(of, "is not followed by its log alone, which begins with record " + std::to_string(of.needs_from) +
                 ": it begins with a checkpoint of " + from->node);
    with.take_checkpoint(
        of.number, from->node, from->addresses,
        [weak = weak_from_this(), number = of.number](std::uint64_t record) {
          if (const auto self = weak.lock())
            self->post([=](rep& it) { it.seats[number]->needs_from = record; });
        },
        [weak = weak_from_this(), number = of.number](const store_status& how) {
          if (const auto self = weak.lock())
            self->post([=](rep& it) { it.took(*it.seats[number], how); });
        });
  }

  /// Whoever has all of it, one after the other where that does not succeed; the owner, who has the most to do, last.
  [[nodiscard]] const member_row* source_of(const seat& of, std::int64_t now) const {
    std::vector<const member_row*> all;
    for (const auto& row : members->rows())
      if (row.node != with.self.node && row.node != of.witness->owner() && !row.addresses.empty() &&
          board->is_complete(of.number, row.node) && members->others().is_present(row.node, now))
        all.push_back(&row);
    for (const auto& row : members->rows())
      if (row.node != with.self.node && row.node == of.witness->owner() && !row.addresses.empty() &&
          members->others().is_present(row.node, now))
        all.push_back(&row);
    return all.empty() ? nullptr : all[of.tries % all.size()];
  }

  void took(seat& of, const store_status& how) {
    of.taking = false;
    if (how.code == store_errc::failed) {
      of.ended = how.detail;
      return warn(of, "is not followed: " + how.detail);
    }
    if (!how.ok()) {
      of.take_again_at_ms =
          with.now_ms() +
          std::min(first_take_pause_ms << std::min<std::size_t>(of.tries, 5), longest_take_pause_ms);
      ++of.tries;
      of.why_none = "no checkpoint came from " + of.took_from + ": " + how.detail;
      return warn(of, of.why_none);
    }
    const auto position = decode_log_position(of.store->position());
    if (!position) {
      of.ended = "the checkpoint of " + of.took_from +
                 " says in no way that this program knows where in the log it stands";
      return warn(of, of.ended);
    }
    of.needs_checkpoint = false;
    of.why_none.clear();
    of.stored_copies = position->copies;
    of.synced_to = position->history.last().number;
    of.witness->knows(of.synced_to, position->history.digest());
    info(of, "has what " + of.took_from + " had up to record " + std::to_string(of.synced_to) +
                 ", and is followed from there");
  }

  void note_if_out(seat& of) const {
    of.out_at = of.stored_copies.empty() || keeps(of.stored_copies, with.self.node) ? 0 : of.synced_to;
    of.out_since_ms = with.now_ms();
  }

  /// What it has read says that others keep it, they are past that, and the log does not reach back to it any more, or will not soon.
  void clear_if_useless(seat& of, std::int64_t now) {
    if (!with.clear_store || of.out_at == 0 || closing || now - of.out_since_ms < with.log_keep.keep_ms)
      return;
    bool any = false;
    for (const auto& node : of.stored_copies) {
      const auto row = board->row_of(of.number, node);
      if (!row || !row->complete)
        continue;
      if (row->synced_to < of.out_at)
        return;
      any = any || members->others().is_present(node, now);
    }
    if (!any)
      return;
    info(of, "is deleted here: " + encode_copies(of.stored_copies) + " keep it");
    clear(of);
  }

  void clear_again(seat& of, std::int64_t now) {
    if (now - of.out_since_ms >= store_pause_ms)
      clear(of);
  }

  void clear(seat& of) {
    of.clearing = true;
    with.clear_store(of.number, [weak = weak_from_this(), number = of.number](const store_status& how) {
      if (const auto self = weak.lock())
        self->post([=](rep& it) { it.cleared(*it.seats[number], how); });
    });
  }

  void cleared(seat& of, const store_status& how) {
    of.clearing = false;
    of.out_at = 0;
    of.out_since_ms = with.now_ms();
    of.synced_to = 0;
    of.stored_copies.clear();
    of.clears_again = how.code == store_errc::full;
    if (how.ok() || of.clears_again)
      return;
    of.ended = how.detail;
    warn(of, how.detail);
  }

  /// As this node's own rows are before it has read anything.
  [[nodiscard]] std::vector<member_table::copy> stored_copies() const {
    std::vector<member_table::copy> all;
    for (const auto& each : seats)
      all.push_back({each->number, with.self.node, each->synced_to, false, is_settings(*each)});
    return all;
  }

  [[nodiscard]] std::variant<std::uint64_t, store_status> checkpoint(std::uint32_t number,
                                                                     const std::filesystem::path& to) {
    const auto none = store_status{store_errc::foreign, "this node has no copy of partition " +
                                                            std::to_string(number) + " that is of use"};
    if (number >= seats.size())
      return none;
    auto& of = *seats[number];
    if (!of.keeper || !of.ended.empty() || of.keeper->applied().history.empty() ||
        of.keeper->now() == role::stalled || of.keeper->now() == role::behind)
      return none;
    const auto& applied = of.keeper->applied();
    // With its place in the log, also where that has only moved by what changes nothing.
    auto status = of.store->keep_position(encode(applied));
    if (status.ok())
      status = of.store->checkpoint(to);
    if (!status.ok())
      return status;
    return applied.history.last().number;
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
      of.synced_to = position->history.last().number;
      setup.begin = *std::move(position);
    }
    setup.now_ms = with.now_ms;
    setup.prompt = is_settings(of);
    setup.passed = [&of](std::size_t bytes) { of.passed_bytes += bytes; };
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
    const auto& before = of.keeper->applied();
    const log_position position{log_history{head, digest, true}, before.owner, before.copies};
    const auto status = of.store->apply(*round, partition_store::durability::unsynced, encode(position));
    of.store_is = status;
    return status.ok();
  }

  /// As when it does not take a round.
  void stall(seat& of, const store_status& why) {
    if (of.keeper->now() == role::stalled)
      return;
    of.store_is = why;
    of.keeper->stall("its store takes nothing");
  }

  /// Another keeper goes on from what the store has, once that has room. (Not two at once: it may take half a second, in which
  /// this node shows no signs of life.)
  void try_store_again(seat& of, std::int64_t now) {
    if (of.store_is.code != store_errc::full || now < of.try_again_at_ms || of.keeper->busy() ||
        now - tried_a_store_at_ms < any_store_pause_ms)
      return;
    of.try_again_at_ms = now + store_pause_ms;
    const auto space = of.store->free_space();
    if (space.free_bytes <= space.reserve_bytes)
      return;
    tried_a_store_at_ms = now;
    of.store_is = of.store->resume();
    if (!of.store_is.ok())
      return;
    info(of, "is followed again: the disk has room");
    of.keeper.reset();
  }

  void keep_position(seat& of, std::int64_t now) {
    const auto& applied = of.keeper->applied();
    const auto number = applied.history.last().number;
    if (now - of.synced_at_ms < at_most_kept(sync_ms) || applied.history.empty() || number == of.synced_to)
      return;
    of.synced_at_ms = now;
    const auto status = of.store->keep_position(encode(applied));
    if (!status.ok())
      return stall(of, status);
    of.synced_to = number;
  }

  [[nodiscard]] std::vector<member_table::copy> own_copies() const {
    std::vector<member_table::copy> all;
    for (const auto& each : seats)
      if (each->keeper)
        all.push_back(
            {each->number, with.self.node, each->synced_to,
             is_current(*each) && each->keeper->now() != role::stalled && each->keeper->now() != role::behind,
             is_settings(*each)});
      else if (each->needs_checkpoint)
        all.push_back({each->number, with.self.node, each->needs_from, false, is_settings(*each)});
    return all;
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
    case role::stalled:
      of.try_again_at_ms = with.now_ms() + store_pause_ms;
      warn(of, "is neither followed nor owned here, " + until_when(of));
      break;
    case role::behind:
      if (with.take_checkpoint)
        break;
      [[fallthrough]];
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
    of.joining_since_ms = 0;
    if (std::exchange(of.started, false)) {
      of.stopping = true;
      with.stop(of.number, [weak = weak_from_this(), number = of.number] {
        if (const auto self = weak.lock())
          self->post([number](rep& it) { it.seats[number]->stopping = false; });
      });
    }
  }

  static std::string until_when(const seat& of) {
    return (of.store_is.code == store_errc::full ? "until there is room: "
                                                 : "until the node is started again: ") +
           of.store_is.detail;
  }

  /// Until it is there: who does not follow the partition knows it from nowhere else, nor who looks at the table, as
  /// `vicket cluster status` does.
  void note_owner(seat& of) {
    const auto epoch = of.keeper->seen().history.last().epoch;
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

  /// Until it is there, likewise; once for each time that the table was read and says something else.
  void note_copies(seat& of) {
    const auto& seen = of.keeper->seen();
    if (!of.permit || seen.copies.empty() || of.noted_epoch != seen.history.last().epoch ||
        board->reads() == of.noted_reads)
      return;
    of.noted_reads = board->reads();
    const auto noted = board->nodes_of(of.number);
    if (!std::is_permutation(noted.begin(), noted.end(), seen.copies.begin(), seen.copies.end()))
      with.members->note_copies(of.number, seen.history.last().epoch, seen.copies);
  }

  /// What the owner writes first; then its writer may begin. (Not in the keeper's own call: it is about to go on.)
  void take_over(seat& of) {
    post([number = of.number](rep& self) { self.append_first(*self.seats[number]); });
  }

  void append_first(seat& of) {
    if (!of.keeper || of.keeper->now() != role::owning || of.started || !of.permit)
      return;
    auto first = of.store->take_over(of.keeper->seen().history.last().epoch,
                                     static_cast<std::uint32_t>(with.random->next()));
    if (const auto* why = std::get_if<store_status>(&first))
      return stall(of, *why);
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
        done({store_errc::away, "the cluster's log can't be written to: " + of.keeper->refused()});
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

  /// Who keeps it comes before others, and of these whoever should own it first, then in the partition's own order, and who has
  /// let it go last.
  std::uint32_t rank_in(std::uint32_t partition, const partition_keeper& keeper, std::int64_t now) const {
    const auto& self = with.self.node;
    const auto& seen = keeper.seen();
    const auto& copies = keeper.applied().copies;
    if (!copies.empty() && !keeps(copies, self))
      return rank_among_others(copies, partition, now);
    auto before = members->others().able(now);
    if (!copies.empty())
      std::erase_if(before, [&](const placement_node& each) { return !keeps(copies, each.name); });
    if (seen.owner && seen.history.last().kind == record_kind::yield) {
      if (seen.owner->node == self)
        return static_cast<std::uint32_t>(before.size());
      if (partition < wanted.size() && !wanted[partition].empty() && wanted[partition].front() == self)
        return 0;
      return place_in(before, partition) + 1;
    }
    return place_in(before, partition);
  }

  /// Of a node that is not among those that keep it: where one of these is able to, it is theirs for long.
  std::uint32_t rank_among_others(const placement_copies& copies, std::uint32_t partition,
                                  std::int64_t now) const {
    auto others = members->others().able(now);
    const auto all = others.size();
    std::erase_if(others, [&](const placement_node& each) { return keeps(copies, each.name); });
    const auto rank = place_in(others, partition);
    return others.size() < all ? rank_of_others + rank : rank;
  }

  /// How many of these come before this node in the partition's order; one that is not among them comes last.
  [[nodiscard]] std::uint32_t place_in(std::vector<placement_node> nodes, std::uint32_t partition) const {
    const auto order = placement{std::move(nodes), 1}.order_of(partition);
    return static_cast<std::uint32_t>(std::find(order.begin(), order.end(), with.self.node) - order.begin());
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
    if (std::all_of(seats.begin(), seats.end(), [this](const auto& each) { return has_looked(*each); }))
      members->say_looked(timeline);
    const auto lowest =
        std::min_element(rows.begin(), rows.end(),
                         [](const member_row& a, const member_row& b) { return a.looked_at < b.looked_at; });
    failovers.seen(timeline, lowest->looked_at, now);
  }

  /// With all that it knows of the partition's log.
  [[nodiscard]] bool has_looked(const seat& of) const {
    return !of.ended.empty() || ((!of.keeper || of.keeper->looked_ms() > timeline_since_ms) &&
                                 (!needs_witness(of) || of.witness->looked_ms() > timeline_since_ms));
  }

  /// Whom this node can't reach.
  void look_at_peers(std::int64_t now) {
    if (!with.reach)
      return;
    std::vector<std::string> there;
    for (const auto& row : members->rows()) {
      if (row.node == with.self.node || !members->others().is_present(row.node, now))
        continue;
      there.push_back(row.node);
      if (auto& known = reached_at[row.node]; !row.addresses.empty() && known != row.addresses) {
        known = row.addresses;
        contact.is(row.node, false, "no connection yet", now);
        with.reach(row.node, row.addresses);
      }
    }
    contact.seen(there, now);
    std::vector<std::string> missing;
    for (const auto& each : contact.unreached(now))
      missing.push_back(each.node);
    members->say_unreached(std::move(missing));
  }

  /// Who is to own and keep what, once the nodes that are there have been the same for a while; else `wanted` is empty.
  void plan(std::int64_t now) {
    std::vector<std::string> names;
    for (const auto& each : members->others().present(now))
      names.push_back(each.name);
    if (names != present) {
      present = std::move(names);
      present_since_ms = now;
      wanted.clear();
    }
    if (closing || now - present_since_ms < settled_ms || now - planned_at_ms < 1'000 || board->reads() == 0)
      return;
    planned_at_ms = now;
    std::vector<placement_copies> have;
    for (const auto& each : seats)
      have.push_back(copies_of(*each));
    // That of settings is little work, and kept by all: it counts for nobody's part of the others.
    const std::vector<placement_copies> settings{std::move(have.back())};
    have.pop_back();
    const placement all{members->others().not_gone(now), with.copies};
    wanted = all.of(have);
    wanted.push_back(all.of(settings).front());
  }

  /// As far as this node knows: its owner first; where nobody has said who keeps it, all do.
  [[nodiscard]] placement_copies copies_of(const seat& of) const {
    const auto follows = is_current(of);
    placement_copies copies;
    const auto add = [&](const std::string& name) {
      if (!name.empty() && !keeps(copies, name))
        copies.push_back(name);
    };
    if (!follows)
      add(of.witness->owner());
    else if (of.keeper->seen().owner)
      add(of.keeper->seen().owner->node);
    placement_copies noted;
    if (!is_settings(of)) // which all keep
      noted = follows ? of.keeper->seen().copies : board->nodes_of(of.number);
    for (const auto& name : noted.empty() ? present : noted)
      add(name);
    return copies;
  }

  [[nodiscard]] bool is_complete(std::uint32_t partition, const std::string& node) const {
    return std::find(present.begin(), present.end(), node) != present.end() &&
           board->is_complete(partition, node);
  }

  /// Not to one that this node can't reach: others may not have found that out yet. Unless it is this one that nobody reaches.
  [[nodiscard]] bool may_hand_to(const std::string& node, std::int64_t now) const {
    return !contact.is_missing(node) || members->others().is_cut_off(with.self.node, now);
  }

  /// Lets go of a partition that another node should own and can take over, one at a time.
  void even_out(std::int64_t now) {
    if (wanted.empty() || planned_at_ms != now ||
        std::any_of(seats.begin(), seats.end(),
                    [](const auto& each) { return each->letting_go || each->stopping; }))
      return;
    for (const auto& each : seats) {
      const auto& to = wanted[each->number];
      if (!each->started || !each->keeper->may_act() || now - each->owned_since_ms < settled_ms ||
          to.empty() || to.front() == with.self.node || !may_hand_to(to.front(), now))
        continue;
      const auto& copies = each->keeper->seen().copies;
      if (copies.empty() || (keeps(copies, to.front()) && is_complete(each->number, to.front()))) {
        info(*each, "is let go: " + to.front() + " is to own it");
        return let_go(*each);
      }
    }
  }

  /// Says who is to keep what this node owns. One after the other begins to.
  void place_copies(std::int64_t now) {
    if (wanted.empty() || planned_at_ms != now)
      return;
    auto joining = std::any_of(seats.begin(), seats.end(), [&](const auto& each) {
      return each->joining_since_ms != 0 && now - each->joining_since_ms < joining_ms;
    });
    for (const auto& each : seats) {
      // Where no record says who keeps a partition all do: so that of settings gets none.
      if (is_settings(*each) || !each->started || each->letting_go || !each->keeper->may_act())
        continue;
      const auto& copies = each->keeper->seen().copies;
      if (std::all_of(copies.begin(), copies.end(), [&](const std::string& node) {
            return node == with.self.node || is_complete(each->number, node);
          }))
        each->joining_since_ms = 0;
      auto next =
          next_copies({with.self.node, copies, wanted[each->number], with.copies,
                       [&](const std::string& node) { return is_complete(each->number, node); }, each->out});
      if (!next)
        continue;
      const auto grows =
          !copies.empty() && std::any_of(next->begin() + 1, next->end(),
                                         [&](const std::string& node) { return !keeps(copies, node); });
      if (grows && std::exchange(joining, true))
        continue;
      if (grows)
        each->joining_since_ms = now;
      info(*each, "is to be kept by " + encode_copies(*next));
      each->keeper->hand_to(*std::move(next));
    }
  }

  // -- trimming ------------------------------------------------------------------------------------------------------

  /// Of what this node owns: how far its log may be trimmed, and whose copies are out.
  void look_how_far(std::int64_t now) {
    if (now - looked_how_far_ms < 1'000 || board->reads() == 0)
      return;
    looked_how_far_ms = now;
    const auto there = members->others().not_gone(now);
    for (const auto& each : seats) {
      auto& of = *each;
      if (!of.keeper)
        continue;
      of.ages->note(now, of.keeper->seen().history.last().number, of.passed_bytes);
      of.out.clear();
      of.trim_below = 0;
      if (!of.started || of.letting_go || !of.keeper->may_act())
        continue;
      const auto plan = plan_trim(trim_view_of(of, there, now));
      if (!of.keeper->seen().copies.empty())
        of.out = plan.out;
      if (plan.below > of.keeper->trimmed_to())
        of.trim_below = plan.below;
    }
  }

  /// Where nobody has said who keeps it all nodes that there ever were may need all of it, but for `settings`, of which each says what it has.
  [[nodiscard]] trim_view trim_view_of(const seat& of, const std::vector<placement_node>& there,
                                       std::int64_t now) const {
    const auto joins = [&](const std::string& node) {
      return std::any_of(there.begin(), there.end(),
                         [&](const placement_node& each) { return each.name == node && each.takes_more; });
    };
    auto copies = of.keeper->seen().copies;
    if (copies.empty() && is_settings(of))
      copies = board->nodes_of(of.number);
    else if (copies.empty())
      for (const auto& row : members->rows())
        copies.push_back(row.node);
    trim_view view{with.self.node,          {{with.self.node, of.synced_to, false}},
                   of.keeper->trimmed_to(), of.ages->old(now),
                   of.ages->far(),          of.ages->far(2)};
    for (const auto& node : copies) {
      if (node == with.self.node)
        continue;
      const auto row = board->row_of(of.number, node);
      view.copies.push_back({node, row ? row->synced_to : 0, joins(node) && !(row && row->complete)});
    }
    return view;
  }

  /// One partition at a time, some rows at a time: appends come first.
  void trim(std::int64_t now) {
    if (trimming)
      return;
    for (const auto& each : seats) {
      auto& of = *each;
      if (of.trim_below == 0 || now < of.trim_at_ms || !of.permit ||
          of.noted_epoch != of.keeper->seen().history.last().epoch)
        continue;
      trimming = true;
      with.table->trim(of.number, of.noted_epoch, of.trim_below,
                       internal::while_alive(weak_from_this(), [&of, now](rep& self, bool all_gone) {
                         self.trimming = false;
                         if (all_gone)
                           of.trim_at_ms = now + self.at_most_kept(trim_ms);
                       }));
      return;
    }
  }

  /// Why the partition takes no records, as far as this node has seen; empty: it does.
  [[nodiscard]] static const std::string& halted_of(const seat& of) {
    return of.keeper && !of.keeper->halted().empty() ? of.keeper->halted() : of.witness->halted();
  }

  void tell_owner(seat& of, std::int64_t now) {
    cluster_part::owner is;
    const auto owns = of.keeper && of.keeper->now() == role::owning;
    if (const auto& why = halted_of(of); !why.empty() && !owns) {
      is.epoch = of.told.epoch;
      is.halted = why;
    } else if (is_current(of)) {
      const auto& seen = of.keeper->seen();
      is.epoch = seen.history.last().epoch;
      if (seen.owner && seen.history.owned())
        is.node = seen.owner->node;
    } else {
      // Not what was seen long ago, before it was followed, nor what the table does not say yet.
      if (now - of.witness->looked_ms() > claim_watch::prompt_ms || of.witness->epoch() < of.told.epoch)
        return;
      is.epoch = of.witness->epoch();
      is.node = of.witness->owner();
    }
    if (is.node != with.self.node)
      for (const auto& row : members->rows())
        if (row.node == is.node)
          is.addresses = row.addresses;
    if (is.node == with.self.node && !of.started)
      is.node.clear(); // an earlier life's, or not yet
    if (is == of.told)
      return;
    of.told = is;
    with.owner_is(of.number, is);
  }

  void tell_what_is_wrong() {
    std::string wrong;
    std::size_t others = 0;
    bool stalled = false;
    for (const auto& each : seats) {
      const auto is_stalled = each->keeper && each->keeper->now() == role::stalled;
      stalled = stalled || is_stalled;
      if (each->ended.empty() && !is_stalled)
        continue;
      if (wrong.empty())
        wrong = called(*each) + " is not followed, " + (is_stalled ? until_when(*each) : each->ended);
      else
        ++others;
    }
    for (const auto& each : seats)
      if (each->ended.empty() && each->needs_checkpoint && !each->taking && !each->why_none.empty()) {
        if (wrong.empty())
          wrong = called(*each) + " is not followed: " + each->why_none;
        else
          ++others;
      }
    if (others > 0)
      wrong = std::to_string(others + 1) + " partitions; " + wrong;
    const auto now = with.now_ms();
    const auto add = [&](const std::string& what) { wrong += (wrong.empty() ? "" : "; ") + what; };
    if (members->others().is_cut_off(with.self.node, now))
      add("most of the others can't reach this node at " + with.self.addresses + ", so it is to own nothing");
    for (const auto& each : seats)
      if (each->keeper && each->keeper->now() == role::owning && !each->keeper->refused().empty()) {
        add(called(*each) + " takes nothing: the log refuses its records: " + each->keeper->refused());
        break; // the others say the same
      }
    std::string unreached;
    for (const auto& each : contact.unreached(now)) {
      add("it can't reach " + each.node + ": " + each.why);
      unreached += (unreached.empty() ? "" : ", ") + each.node;
      if (last_unreached.find(each.node) == std::string::npos)
        with.log_warning("node " + each.node + " can't be reached: " + each.why);
    }
    if (unreached.empty() && !last_unreached.empty())
      with.log_info("all other nodes can be reached again");
    last_unreached = std::move(unreached);
    members->say_wrong(wrong);
    members->say_stalled(stalled);
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
  std::unique_ptr<copy_board> board;
  std::vector<placement_copies> wanted; ///< by partition, the owner first; empty: there is no plan yet
  std::vector<std::string> present;     ///< names of the nodes that are there
  std::int64_t present_since_ms = 0;
  std::int64_t planned_at_ms = 0;
  std::int64_t tried_a_store_at_ms = 0;
  std::int64_t looked_how_far_ms = 0;
  std::int64_t reset_at_ms = std::numeric_limits<std::int64_t>::min() / 2;
  bool trimming = false;
  std::string last_trouble;
  peer_contact contact;
  std::map<std::string, std::string> reached_at; ///< where each other node was to be connected to last
  std::string last_unreached;                    ///< names
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

void cluster_part::peer_is(const std::string& node, bool connected, const std::string& why) {
  rep_->contact.is(node, connected, why, rep_->with.now_ms());
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

std::variant<std::uint64_t, store_status> cluster_part::checkpoint(std::uint32_t partition,
                                                                   const std::filesystem::path& to) {
  return rep_->checkpoint(partition, to);
}

bool cluster_part::follows(std::uint32_t partition) const {
  return rep_->seats[partition]->keeper != nullptr;
}

const std::string& cluster_part::trouble_of(std::uint32_t partition) const {
  const auto& of = *rep_->seats[partition];
  const auto is_for_good = of.ended.empty() && of.keeper && of.keeper->now() == role::stalled &&
                           of.store_is.code != store_errc::full;
  return is_for_good ? of.store_is.detail : of.ended;
}

} // namespace vicket
