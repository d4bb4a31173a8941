#include "tests/sim/cluster_world.hpp"

#include "actors/node.hpp"
#include "cluster/cluster_part.hpp"
#include "cluster/log_position.hpp"
#include "cluster/record_codec.hpp"
#include "policy/copies.hpp"
#include "policy/partitioning.hpp"
#include "policy/presence.hpp"
#include "policy/secret_box.hpp"
#include "storage/testing/sim_disk.hpp"
#include "tests/cluster/simulated_table.hpp"
#include "tests/sim/connector_book.hpp"
#include "tests/sim/rule_form.hpp"
#include "tests/sim/setting_book.hpp"
#include "tests/sim/trigger_book.hpp"
#include "tests/support/manual_clock.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scheduler/test_coordinator.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <deque>
#include <fstream>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <vector>

namespace vicket::sim {

namespace {

using testing::simulated_database;
using testing::simulated_table;
using fate = simulated_database::fate;

constexpr std::size_t sent_to = 6; ///< connectors that events are sent to by their names
/// With those that only rules name, which have filters.
constexpr std::size_t connectors = sent_to + 2;
constexpr const char* cluster_uuid = "0191c0de-0000-4000-8000-000000000000";
constexpr std::int64_t settling_ms = 10'000;
constexpr std::int64_t taken_up_ms = 40'000;
/// What of a log that is trimmed is kept: less than nodes are away now and then.
constexpr std::int64_t keep_time_ms = 8'000;
constexpr std::uint64_t keep_bytes = 3'000'000;
constexpr std::size_t few_rows = 20; ///< of one page: who reads a log from its beginning needs many
constexpr std::size_t write_buffer_bytes = 192 * 1024;
constexpr auto endless_disk = std::numeric_limits<std::uint64_t>::max();

std::string name_of(std::size_t node) {
  return std::string{"node-"} + static_cast<char>('a' + node);
}

/// None of the last partition's.
const std::string& connector_of(std::size_t number) {
  static const auto names = [] {
    std::vector<std::string> found;
    for (std::size_t i = 0; found.size() < connectors; ++i)
      if (auto name = "connector-" + std::to_string(i);
          partition_of({name}, cluster_world::partitions) != cluster_world::partitions - 1)
        found.push_back(std::move(name));
    return found;
  }();
  return names[number];
}

std::optional<std::uint32_t> number_of_connector(const connector_id& id) {
  for (std::uint32_t number = 0; number < connectors; ++number)
    if (connector_of(number) == id.value)
      return number;
  return std::nullopt;
}

connector wanted_connector(std::size_t number) {
  connector wanted;
  wanted.id = {connector_of(number)};
  wanted.url = "https://c" + std::to_string(number) + ".example.com/hook";
  wanted.retry.base_ms = 500;
  wanted.retry.cap_ms = 2'000;
  if (number >= sent_to)
    wanted.filter_json = text_of(number % 2 == 0 ? filter_form::by_kind : filter_form::by_name);
  return wanted;
}

class node_chance final : public random_source {
public:
  explicit node_chance(std::uint64_t seed) : dice_{seed} {}
  std::uint64_t next() override { return dice_.next(); }

private:
  dice dice_;
};

struct config : caf::actor_system_config {
  config() {
    set("caf.scheduler.policy", "testing");
    set("caf.logger.file.verbosity", "quiet");
    set("caf.logger.console.verbosity", "quiet");
  }
};

using inbox = std::deque<std::function<void()>>;

/// Answers come into a process's inbox, as long as it lives.
class to_inbox {
public:
  explicit to_inbox(inbox& to) : to_{to} {}

  template <class Answer>
  std::function<void(Answer)> operator()(std::function<void(Answer)> done) const {
    return [weak = std::weak_ptr{alive_}, &to = to_, done = std::move(done)](Answer answer) {
      if (weak.lock())
        to.push_back([done, answer = std::move(answer)] { done(answer); });
    };
  }

private:
  inbox& to_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

class node_table final : public log_table {
public:
  node_table(simulated_database& database, inbox& to, std::function<void(const std::string&)> say)
      : table_{database}, queued_{to}, say_{std::move(say)} {}

  void append(const log_row& row, const record_digest& before, bool afresh,
              std::function<void(append_answer)> done) override {
    table_.append(
        row, before, afresh,
        [say = say_, head = row.head, done = queued_(std::move(done))](const append_answer& answer) {
          constexpr std::array replies{"stored", "unknown", "refused", "absent"};
          say("record " + std::to_string(head.number) + " of partition " + std::to_string(head.partition) +
              ", epoch " + std::to_string(head.epoch) + ", kind " +
              std::to_string(static_cast<int>(head.kind)) + ": " +
              replies[static_cast<std::size_t>(answer.reply)]);
          done(answer);
        });
  }
  void look(std::uint32_t of, std::uint64_t number, std::function<void(look_answer)> done) override {
    table_.look(of, number, queued_(std::move(done)));
  }
  void read(std::uint32_t of, std::uint64_t from, std::size_t max_bytes,
            std::function<void(read_answer)> done) override {
    table_.read(of, from, max_bytes, queued_(std::move(done)));
  }
  void halt(std::uint32_t of, const std::string& why, std::function<void(bool)> done) override {
    table_.halt(of, why, queued_(std::move(done)));
  }
  void glance(std::uint32_t of, std::uint64_t known, std::function<void(glance_answer)> done) override {
    table_.glance(of, known, queued_(std::move(done)));
  }
  void note_owner(std::uint32_t of, const std::string& node, std::uint64_t epoch,
                  std::function<void(bool)> done) override {
    table_.note_owner(of, node, epoch, queued_(std::move(done)));
  }
  void trim(std::uint32_t of, std::uint64_t epoch, std::uint64_t below,
            std::function<void(bool)> done) override {
    table_.trim(of, epoch, below, queued_(std::move(done)));
  }

private:
  simulated_table table_;
  to_inbox queued_;
  std::function<void(const std::string&)> say_;
};

/// The table of members, of which a failover loses nothing: what depends on it is no one's safety.
struct simulated_members {
  explicit simulated_members(simulated_database& beside) : database{beside} {}

  simulated_database& database;
  std::map<std::string, member_row> rows;
  std::map<std::pair<std::uint32_t, std::string>, member_table::copy> copies;
  std::uint64_t timeline = 1;
  std::deque<std::function<void(bool answered)>> calls;

  class way final : public member_table {
  public:
    way(simulated_members& to, inbox& answers) : to_{to}, queued_{answers} {}

    void enter(const member& self, std::function<void(enter_answer)> done) override {
      call(self, queued_(std::move(done)),
           [](simulated_members& it, const member& who, enter_answer& answer) {
             auto& row = it.rows[who.node];
             const auto life = row.incarnation + (row.life == who.life ? 0 : 1);
             static_cast<member&>(row) = who;
             row.incarnation = life;
             row.timeline = it.timeline;
             answer.acknowledged = true;
             answer.incarnation = life;
           });
    }
    void beat(const member& self, std::uint64_t incarnation, std::function<void(beat_answer)> done) override {
      call(self, queued_(std::move(done)),
           [incarnation](simulated_members& it, const member& who, beat_answer& answer) {
             const auto found = it.rows.find(who.node);
             answer.absent = found == it.rows.end() || found->second.life != who.life ||
                             found->second.incarnation != incarnation;
             if (answer.absent)
               return;
             auto& row = found->second;
             static_cast<member&>(row) = who;
             ++row.beats;
             row.timeline = it.timeline;
             answer.acknowledged = true;
           });
    }
    void list(std::function<void(list_answer)> done) override {
      call(member{}, queued_(std::move(done)), [](simulated_members& it, const member&, list_answer& answer) {
        answer.answered = true;
        for (const auto& [name, row] : it.rows)
          answer.rows.push_back(row);
      });
    }
    void list_copies(std::function<void(copies_answer)> done) override {
      call(member{}, queued_(std::move(done)),
           [](simulated_members& it, const member&, copies_answer& answer) {
             answer.answered = true;
             for (const auto& [place, row] : it.copies)
               answer.rows.push_back(row);
           });
    }
    void tell_copies(const std::vector<copy>& own) override {
      call<bool>(
          member{}, [](bool) {},
          [own](simulated_members& it, const member&, bool&) {
            for (const auto& each : own)
              if (each.notes_itself)
                it.copies[{each.partition, each.node}] = each;
              else if (const auto row = it.copies.find({each.partition, each.node}); row != it.copies.end())
                row->second = each;
          });
    }
    void note_copies(std::uint32_t partition, std::uint64_t epoch,
                     const std::vector<std::string>& nodes) override {
      call<bool>(
          member{}, [](bool) {},
          [=](simulated_members& it, const member&, bool&) {
            if (it.database.noted_epoch(partition) != epoch)
              return;
            std::erase_if(it.copies, [&](const auto& each) {
              return each.first.first == partition && !keeps(nodes, each.first.second);
            });
            for (const auto& node : nodes)
              it.copies.try_emplace({partition, node}, copy{partition, node});
          });
    }

  private:
    template <class Answer, class Happen>
    void call(const member& self, std::function<void(Answer)> done, Happen happen) {
      to_.calls.push_back([&to = to_, self, done = std::move(done), happen](bool answered) {
        Answer answer{};
        if (answered)
          happen(to, self, answer);
        done(std::move(answer));
      });
    }

    simulated_members& to_;
    to_inbox queued_;
  };
};

std::shared_ptr<const secret_box> the_key() {
  static const auto box =
      std::make_shared<const secret_box>(secret_bytes{std::string(secret_box::key_bytes, 'k')});
  return box;
}

} // namespace

struct cluster_world::rep {
  /// Endpoints of all nodes, and what came to them.
  class endpoints final : public http_transport {
  public:
    endpoints(rep& world, std::size_t node) : world_{world}, node_{node} {}

    void post(http_request request, completion done) override {
      http_result result;
      result.status = world_.arrived(node_, request.endpoint->host, *request.body) ? 200 : 503;
      result.body = "noted";
      result.body_bytes = result.body.size();
      result.duration_us = 1'000;
      done(std::move(result));
    }

  private:
    rep& world_;
    std::size_t node_;
  };

  struct process {
    std::shared_ptr<endpoints> transport;
    std::unique_ptr<node> running;
    inbox answers; ///< and what its actors and timers have for the cluster's thread
    std::unique_ptr<node_table> table;
    std::unique_ptr<simulated_members::way> members;
    std::unique_ptr<cluster_part> part; ///< goes before all of these
    std::int64_t next_tick_ms = 0;
  };
  struct machine {
    explicit machine(std::uint64_t seed) : disk{seed}, random{seed} {}
    sim_disk disk;
    std::int64_t full_until_ms = 0; ///< 0: it is not
    testing::manual_clock clock;
    node_chance random;
    std::unique_ptr<process> runs; ///< null: nothing does
    std::int64_t paused_until_ms = 0;
    std::int64_t start_at_ms = 0; ///< where nothing runs
    bool stopping = false;
  };
  struct timer {
    std::int64_t at_ms = 0;
    std::size_t node = 0;
    const process* of = nullptr;
    std::function<void()> then;
  };

  rep(std::uint64_t seed, std::filesystem::path where, const faults& with,
      std::function<void(std::string_view)> trace_to)
      : draw{seed}, fault{with}, rule_seed{seed}, folder{std::move(where)}, trace{std::move(trace_to)} {
    key_file = folder / "secret.key";
    std::ofstream{key_file, std::ios::binary} << std::string(secret_box::key_bytes, 'k');
    std::filesystem::permissions(key_file,
                                 std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    const record_codec codec{the_key(), cluster_uuid};
    simulated_table maker{database};
    for (std::uint32_t i = 0; i <= partitions; ++i) { // with that of settings
      const record_head head{i, 1, 1, record_kind::genesis, 0};
      log_row row{head, {}, codec.seal(head, {}, {})};
      row.digest = digest_of({}, head, row.body);
      maker.append(row, {}, false, [](const auto&) {});
    }
    database.let_all_happen();
    const auto nodes = fewest_nodes + draw.below(most_nodes - fewest_nodes + 1);
    copies = draw.below(4) == 0 ? 3 : cluster_part::default_copies;
    if (draw.below(2) == 0)
      database.read_rows = few_rows;
    trims = draw.below(2) == 0;
    database.trim_rows = few_rows;
    for (std::size_t i = 0; i < nodes; ++i)
      machines.push_back(std::make_unique<machine>(seed * 31 + i));
    for (std::size_t i = 0; i < nodes; ++i) {
      // Clocks of machines differ.
      machines[i]->clock.set_wall_forward_ms(static_cast<std::int64_t>(draw.below(2'000)));
      start(i);
    }
  }
  ~rep() {
    for (std::size_t i = 0; i < machines.size(); ++i)
      end_process(i);
  }

  void say(const std::string& what) const {
    if (trace)
      trace(std::to_string(now_ms) + " " + what);
  }
  void complain(const std::string& what) {
    if (found.empty()) {
      found = "after " + std::to_string(now_ms) + " ms: " + what;
      say("VIOLATION " + what);
    }
  }
  [[nodiscard]] caf::scheduler::test_coordinator& coordinator() {
    return dynamic_cast<caf::scheduler::test_coordinator&>(system.scheduler());
  }
  void run_actors() {
    while (coordinator().has_job())
      coordinator().try_run_once();
  }

  // -- nodes ----------------------------------------------------------------------------------------------------------

  void start(std::size_t which) {
    auto& on = *machines[which];
    auto starting = std::make_unique<process>();
    auto* const self = starting.get();
    starting->transport = std::make_shared<endpoints>(*this, which);
    node_options options;
    options.data_dir = folder / name_of(which);
    options.secret_key_file = key_file;
    options.partitions = partitions;
    options.cluster = data_folder::cluster_place{cluster_uuid, name_of(which)};
    const auto clock_ms = [this, which] { return now_ms + 1'000'000 * static_cast<std::int64_t>(which); };
    const auto settings_fresh = std::make_shared<start_permit>(clock_ms);
    options.settings_fresh = settings_fresh;
    options.own_threads = false;
    options.store_write_buffer_bytes = write_buffer_bytes * partitions;
    options.supervisor_idle_ms = 2'000;
    node_environment environment;
    environment.time = &on.clock;
    environment.random = &on.random;
    environment.transport = starting->transport;
    environment.store = &on.disk;
    environment.failed = [this, which, self](const std::string& why) {
      if (machines[which]->runs.get() == self)
        complain(name_of(which) + " failed: " + why);
    };
    environment.log_warning = [this, which](const std::string& what) { say(name_of(which) + ": " + what); };
    auto started = node::start(system, options, environment);
    if (const auto* why = std::get_if<std::string>(&started)) {
      if (on.full_until_ms != 0) { // then somebody frees some space
        on.start_at_ms = on.full_until_ms;
        say(name_of(which) + " does not start: " + *why);
        return;
      }
      complain(name_of(which) + " does not start: " + *why);
      return;
    }
    starting->running = std::get<std::unique_ptr<node>>(std::move(started));
    starting->table =
        std::make_unique<node_table>(database, starting->answers, [this, which](const std::string& what) {
          say(name_of(which) + ": " + what);
        });
    starting->members = std::make_unique<simulated_members::way>(members, starting->answers);
    on.runs = std::move(starting);
    on.stopping = false;

    cluster_part::setup joining;
    joining.table = self->table.get();
    joining.members = self->members.get();
    joining.now_ms = clock_ms;
    joining.wait = [this, which, self](std::int64_t ms, std::function<void()> then) {
      timers.push_back({now_ms + ms, which, self, std::move(then)});
    };
    joining.post = [self](std::function<void()> work) { self->answers.push_back(std::move(work)); };
    joining.uuid = cluster_uuid;
    joining.key = self->running->secrets();
    joining.self.node = name_of(which);
    joining.self.addresses = name_of(which);
    joining.copies = copies;
    joining.stores = self->running->stores();
    if (trims)
      joining.log_keep = {keep_time_ms, keep_bytes};
    joining.settings_fresh = settings_fresh;
    joining.random = &on.random;
    joining.log_info = [this, which](const std::string& what) {
      counts.taken_up += what.find("nobody who keeps it claims it") != std::string::npos ? 1 : 0;
      counts.stores_deleted += what.find("is deleted here") != std::string::npos ? 1 : 0;
      if (what.find("and is followed from there") != std::string::npos) {
        ++counts.checkpoints;
        began_with_checkpoint(which, what);
      }
      counts.broken_checkpoints += what.find("no checkpoint came from") != std::string::npos ? 1 : 0;
      say(name_of(which) + ": " + what);
    };
    joining.log_warning = joining.log_info;
    joining.start = [this, self](std::uint32_t partition, std::unique_ptr<round_log> log,
                                 std::shared_ptr<const start_permit> permit) {
      ++counts.ownerships;
      self->running->own(partition, std::move(log), std::move(permit));
    };
    joining.stop = [self](std::uint32_t partition, std::function<void()> gone) {
      self->running->disown(partition, std::move(gone));
    };
    joining.drain = [self](std::uint32_t partition, std::function<void()> drained) {
      self->running->drain_partition(partition, 10'000, std::move(drained));
    };
    joining.owner_is = [this, self](std::uint32_t partition, const cluster_part::owner& owner) {
      peer_actor there;
      for (std::size_t i = 0; i < machines.size(); ++i)
        if (name_of(i) == owner.addresses && machines[i]->runs)
          there = machines[i]->runs->running->door();
      self->running->owner_is(partition, owner.epoch, owner.node, there, owner.halted);
    };
    joining.take_checkpoint = [this, self](std::uint32_t partition, const std::string&,
                                           const std::string& address,
                                           std::function<void(std::uint64_t)> opened,
                                           std::function<void(const store_status&)> done) {
      for (std::size_t i = 0; i < machines.size(); ++i)
        if (name_of(i) == address && machines[i]->runs)
          return self->running->take_checkpoint(partition, machines[i]->runs->running->door(),
                                                std::move(opened), std::move(done));
      done({store_errc::away, "it does not run"});
    };
    joining.stop_taking = [self](std::uint32_t partition) { self->running->stop_taking(partition); };
    joining.clear_store = [self](std::uint32_t partition, std::function<void(const store_status&)> done) {
      self->running->clear_store(partition, std::move(done));
    };
    self->running->lend([self](std::uint32_t partition, const std::filesystem::path& to,
                               std::function<void(std::variant<std::uint64_t, store_status>)> done) {
      self->answers.push_back([=] { done(self->part->checkpoint(partition, to)); });
    });
    joining.replaced = [this, which] { complain(name_of(which) + " is told that another has its name"); };
    on.runs->part = std::make_unique<cluster_part>(std::move(joining));
    on.runs->next_tick_ms = now_ms + static_cast<std::int64_t>(draw.below(cluster_part::beat_ms));
    say(name_of(which) + " starts");
  }

  /// With nothing but what had been synced, and some of the rest.
  void cut_power(std::size_t which) {
    auto& on = *machines[which];
    if (!on.runs)
      return;
    say("the power of " + name_of(which) + " is cut");
    ++counts.power_cuts;
    on.disk.crash();
    end_process(which);
    on.disk.restart(draw.next());
    on.start_at_ms = now_ms + static_cast<std::int64_t>(draw.below(5'000));
  }

  /// While it was made and sent the log was held for it: its row in the table of copies said so.
  void began_with_checkpoint(std::size_t which, const std::string& said) {
    for (std::uint32_t partition = 0; partition <= partitions; ++partition) {
      const auto called = partition == partitions ? std::string{"settings"} : std::to_string(partition);
      const auto at = decode_log_position(store_of(which, partition).position());
      if (!said.starts_with("partition " + called + " ") || !at ||
          !members.copies.contains({partition, name_of(which)}))
        continue;
      if (at->history.last().number < database.trimmed_to(partition))
        complain(name_of(which) + " began with a checkpoint of " + said +
                 ", and the log begins with record " + std::to_string(database.trimmed_to(partition)) +
                 " by now");
    }
  }

  /// It begins again with nothing. Not where its copies are needed: of all else somebody has to have what the log has no more.
  void lose_disk(std::size_t which) {
    if (!fault.lost_disks || !machines[which]->runs)
      return;
    for (std::uint32_t partition = 0; partition <= partitions; ++partition) {
      bool others = database.trimmed_to(partition) <= 1;
      for (std::size_t i = 0; i < machines.size() && !others; ++i) {
        if (i == which || !machines[i]->runs || !machines[i]->runs->part->follows(partition))
          continue;
        const auto row = members.copies.find({partition, name_of(i)});
        const auto at = decode_log_position(store_of(i, partition).position());
        others = row != members.copies.end() && row->second.complete && at &&
                 at->history.last().number >= database.trimmed_to(partition);
      }
      if (!others)
        return;
    }
    say(name_of(which) + " loses its disk");
    ++counts.lost_disks;
    end_process(which);
    auto& on = *machines[which];
    const auto data = folder / name_of(which);
    for (const auto* const each : {"partition-0", "partition-1", "partition-2", "settings"})
      for (const auto* const more : {"", ".new"})
        on.disk.restore(data / (std::string{each} + more), {});
    on.start_at_ms = now_ms + static_cast<std::int64_t>(draw.below(5'000));
  }

  /// As with `kill -9`.
  void end_process(std::size_t which) {
    auto& on = *machines[which];
    if (!on.runs)
      return;
    auto dying = std::move(on.runs);
    dying->part = nullptr;
    dying->running->end();
    run_actors();
    dying->running = nullptr;
    std::erase_if(timers, [&](const timer& each) { return each.of == dying.get(); });
    dying = nullptr;
    on.paused_until_ms = 0;
  }

  [[nodiscard]] bool is_paused(std::size_t which) const { return now_ms < machines[which]->paused_until_ms; }

  // -- a step ---------------------------------------------------------------------------------------------------------

  void step() {
    now_ms += step_ms;
    for (auto& each : machines) {
      each->clock.advance_ms(step_ms);
      for (auto jobs = draw.below(3); jobs > 0 && !each->disk.pending_jobs().empty(); --jobs)
        each->disk.run_job(static_cast<std::size_t>(draw.below(each->disk.pending_jobs().size())));
    }
    make_trouble();
    for (std::size_t i = 0; i < machines.size(); ++i)
      if (auto& on = *machines[i]; on.full_until_ms != 0 && now_ms >= on.full_until_ms) {
        on.full_until_ms = 0;
        on.disk.set_capacity_bytes(endless_disk);
        say("the disk of " + name_of(i) + " has room");
      }
    for (auto calls = draw.below(4 * machines.size()); calls > 0; --calls)
      let_a_call_happen();
    for (std::size_t i = 0; i < machines.size(); ++i)
      run_process(i);
    if (!calm) {
      act_as_engine();
      change_rules();
      if (draw.below(20) == 0)
        send_trigger();
    } else if (!trigger_again.empty() && draw.below(20) == 0) {
      send_trigger();
    }
    if (now_ms % 200 == 0)
      read_feed();
    coordinator().advance_time(std::chrono::milliseconds{step_ms});
    run_actors();
    look();
  }

  void run_process(std::size_t which) {
    auto& on = *machines[which];
    if (!on.runs) {
      if (now_ms >= on.start_at_ms)
        start(which);
      return;
    }
    if (is_paused(which))
      return;
    auto* const self = on.runs.get();
    std::vector<timer> due;
    for (auto at = timers.begin(); at != timers.end();)
      if (at->of == self && at->at_ms <= now_ms) {
        due.push_back(std::move(*at));
        at = timers.erase(at);
      } else {
        ++at;
      }
    for (const auto& each : due)
      each.then();
    if (now_ms >= self->next_tick_ms) {
      self->next_tick_ms = now_ms + cluster_part::beat_ms;
      self->part->tick();
      if (on.stopping && !self->part->owns_any()) {
        end_process(which);
        on.start_at_ms = now_ms + static_cast<std::int64_t>(draw.below(3'000));
        return;
      }
    }
    for (auto left = self->answers.size(); left > 0; --left) {
      const auto answer = std::move(self->answers.front());
      self->answers.pop_front();
      answer();
    }
  }

  void let_a_call_happen() {
    if (now_ms < outage_until_ms)
      return;
    if (now_ms < slow_until_ms && draw.below(100) > 0)
      return;
    if (!members.calls.empty() && (database.under_way() == 0 || draw.below(4) == 0)) {
      const auto call = std::move(members.calls.front());
      members.calls.pop_front();
      const auto away = now_ms < standby_away_until_ms;
      return call(!away && !(fault.cut_answers && draw.below(100) == 0));
    }
    if (database.under_way() == 0)
      return;
    const auto which = static_cast<std::size_t>(draw.below(database.under_way()));
    if (now_ms < standby_away_until_ms && !database.only_reads(which)) {
      if (draw.below(20) == 0) // else its commit waits for the standby
        database.let_happen(which, fate::cut_after);
      return;
    }
    auto how = fate::done;
    if (fault.cut_answers && draw.below(100) < 2) {
      constexpr std::array all{fate::refused, fate::cut_before, fate::cut_after, fate::cut_and_late};
      how = all[static_cast<std::size_t>(draw.below(all.size()))];
    }
    if (const auto* const row = database.appended_by(which); row != nullptr && how == fate::done)
      counts.copies_records += row->head.kind == record_kind::copies ? 1 : 0;
    database.let_happen(which, how);
  }

  void fail_over() {
    database.fail_over();
    ++members.timeline;
    ++counts.failovers;
    say("the database fails over");
  }

  void make_trouble() {
    if (now_ms < standby_away_until_ms && draw.below(400) == 0) {
      standby_away_until_ms = 0;
      fail_over();
    }
    if (calm || draw.below(400) > 0)
      return;
    const auto which = static_cast<std::size_t>(draw.below(machines.size()));
    auto& on = *machines[which];
    const auto for_a_while = [&](std::uint64_t most) {
      return now_ms + static_cast<std::int64_t>(draw.below(most));
    };
    switch (draw.below(11)) {
    case 10:
      return lose_disk(which);
    case 0:
      if (fault.failovers && draw.below(2) == 0)
        fail_over();
      else if (fault.failovers)
        standby_away_until_ms = for_a_while(2'000);
      return;
    case 1:
      if (fault.outages)
        outage_until_ms = for_a_while(6'000);
      return;
    case 2:
      if (fault.slow_commits)
        slow_until_ms = for_a_while(4'000);
      return;
    case 3:
    case 4:
      if (fault.kills && on.runs) {
        say(name_of(which) + " is killed");
        ++counts.kills;
        end_process(which);
        on.start_at_ms = for_a_while(5'000);
        if (draw.below(4) == 0) { // others are to keep what it kept
          on.start_at_ms += presence::gone_ms;
          ++counts.long_absences;
        }
      }
      return;
    case 5:
      if (!fault.power_cuts)
        return;
      if (draw.below(4) > 0)
        return cut_power(which);
      for (std::size_t i = 0; i < machines.size(); ++i)
        cut_power(i);
      return;
    case 6:
      if (fault.stops && on.runs && !on.stopping) {
        say(name_of(which) + " is to stop");
        on.stopping = true;
        on.runs->part->close();
      }
      return;
    case 7:
      if (fault.full_disks && on.full_until_ms == 0) {
        on.full_until_ms = for_a_while(20'000) + step_ms;
        on.disk.set_capacity_bytes(on.disk.used_bytes() + draw.below(write_buffer_bytes));
        ++counts.full_disks;
        say("the disk of " + name_of(which) + " is filling up");
      }
      return;
    default:
      if (fault.pauses) {
        on.paused_until_ms = for_a_while(8'000);
        say(name_of(which) + " stands still");
      }
    }
  }

  // -- the engine, the endpoints and a reader ---------------------------------------------------------------------------

  template <class Answer, class Request, class Done>
  void ask(std::size_t which, Request request, Done done, std::function<void(const refusal&)> failed) {
    system.spawn([gateway = machines[which]->runs->running->gateway(), request = std::move(request),
                  done = std::move(done), failed = std::move(failed)](caf::event_based_actor* self) mutable {
      auto asked = self->request(gateway, caf::infinite, std::move(request));
      auto refused = [failed](const caf::error& why) { failed(refusal_of(why)); };
      if constexpr (std::is_void_v<Answer>)
        std::move(asked).then(done, refused);
      else
        std::move(asked).then([done](Answer& answer) { done(answer); }, refused);
    });
  }

  std::optional<std::size_t> some_node() {
    const auto first = static_cast<std::size_t>(draw.below(machines.size()));
    for (std::size_t i = 0; i < machines.size(); ++i)
      if (const auto which = (first + i) % machines.size(); machines[which]->runs)
        return which;
    return std::nullopt;
  }

  moment moment_now() { return {now_ms, now_ms, ++order}; }

  void act_as_engine() {
    if (draw.below(4) > 0)
      return;
    const auto which = some_node();
    if (!which)
      return;
    if (put_next < connectors) {
      if (std::exchange(putting, true))
        return;
      const auto wanted = wanted_connector(put_next);
      known_connectors.change_sent(put_next, wanted, true, moment_now());
      ask<connector_view>(
          *which, put_connector{wanted},
          [this](connector_view&) {
            putting = false;
            known_connectors.change_done(put_next, moment_now());
            ++put_next;
          },
          [this](const refusal& why) {
            putting = false;
            known_connectors.changes_are_lost();
            if (why.code != errc::unavailable && why.code != errc::storage_full)
              complain("a connector is refused: " + why.detail);
          });
      return;
    }
    send_to_connector event;
    std::size_t number = 0;
    if (!again.empty() && draw.below(2) == 0) {
      number = again.front();
      again.pop_front();
    } else {
      number = made++;
    }
    ask<accepted>(
        *which, event_of(number), [this, number](accepted&) { accepted_ids.insert(number); },
        [this, number](const refusal& why) {
          ++counts.refused;
          again.push_back(number);
          if (why.code != errc::unavailable && why.code != errc::overloaded && why.code != errc::storage_full)
            complain("event " + std::to_string(number) + " is refused: " + std::string{to_string(why.code)} +
                     " " + why.detail);
        });
  }

  static constexpr auto event_ids = "00000000-0000-4000-8000-";

  static send_to_connector event_of(std::size_t number) {
    send_to_connector event;
    std::array<char, 37> text{};
    std::snprintf(text.data(), text.size(), "%s%012zx", event_ids, number + 1);
    event.id = event_id::parse(text.data());
    event.connector = {connector_of(number % sent_to)};
    event.event = "ticket.status_changed";
    event.occurred_at = {1'779'546'071'412};
    event.data_json = R"({"number":)" + std::to_string(number) + "}";
    return event;
  }

  static std::optional<std::size_t> number_of(const std::string& id) {
    if (id.size() != 36 || !id.starts_with(event_ids))
      return std::nullopt;
    return std::stoull(id.substr(24), nullptr, 16) - 1;
  }

  bool arrived(std::size_t node, const std::string& host, const std::string& body) {
    std::uint32_t to = 0;
    std::from_chars(host.data() + 1, host.data() + host.size(), to);
    const auto at = body.find(R"("id":")");
    const auto id = at == std::string::npos ? std::nullopt : event_id::parse(body.substr(at + 6, 36));
    const auto number = id ? number_of(id->to_string()).value_or(made) : made;
    const auto mark = mark_in(body);
    if (!id || to >= connectors || (mark ? !triggers.knows(mark->serial) : number >= made)) {
      complain(name_of(node) + " delivers what nobody sent: " + body.substr(0, 100));
      return false;
    }
    const auto partition = partition_of({connector_of(to)}, partitions);
    const auto permit = machines[node]->runs ? machines[node]->runs->part->permit_of(partition) : nullptr;
    if (machines[node]->runs && (!permit || !permit->holds()))
      complain(name_of(node) + " delivers event " + id->to_string() + " of partition " +
               std::to_string(partition) + " without the owner's lease");
    if (!calm && fault.bad_endpoints && draw.below(10) == 0)
      return false;
    if (mark)
      rule_made_it(*mark, to, *id, body);
    else if (++deliveries[number] == 2)
      ++counts.delivered_again;
    return true;
  }

  /// Goes on at another node with the cursor of the one before.
  void read_feed() {
    const auto which = some_node();
    if (!which || std::exchange(reading, true))
      return;
    read_outcomes request;
    request.cursor = cursor;
    request.limit = 100;
    ask<outcome_page>(
        *which, request,
        [this](outcome_page& page) {
          reading = false;
          if (!page.gap_cursor.empty() && trace)
            for (std::uint32_t partition = 0; partition < partitions; ++partition)
              for (std::size_t i = 0; i < machines.size(); ++i)
                if (machines[i]->runs) {
                  const auto& store = *machines[i]->runs->running->stores()[partition];
                  std::array<char, 100> text{};
                  std::snprintf(text.data(), text.size(), "partition %u of %s ends at %llx, under tag %x",
                                partition, name_of(i).c_str(),
                                static_cast<unsigned long long>(store.committed_end()),
                                store.lineage().tag_of(store.committed_end()));
                  say(text.data());
                }
          if (!page.gap_cursor.empty())
            complain("the feed has a gap: after " + cursor + ", then " + page.gap_cursor);
          for (const auto& entry : page.entries) {
            ++counts.feed_entries;
            const auto what = entry.summary.connector.value + " " + entry.summary.id.to_string() + " " +
                              std::to_string(entry.value.number);
            if (!fed.insert(what).second)
              complain("the feed shows attempt " + what + " twice");
            if (const auto to = number_of_connector(entry.summary.connector);
                to && entry.value.result == outcome::delivered)
              fed_rule_made.insert({*to, entry.summary.id});
            if (entry.value.result == outcome::delivered)
              if (const auto number = number_of(entry.summary.id.to_string()))
                fed_delivered.insert(*number);
          }
          cursor = page.cursor;
        },
        [this](const refusal& why) {
          reading = false;
          if (why.code != errc::unavailable && why.code != errc::overloaded)
            complain("the feed can't be read: " + why.detail);
        });
  }

  // -- rules and triggers -----------------------------------------------------------------------------------------------

  [[nodiscard]] rule_form form_of(std::uint64_t number) const {
    static const std::vector<std::uint32_t> targets{0, 3, sent_to, sent_to + 1};
    return draw_rule(rule_seed, number, targets);
  }

  /// Whichever node is asked, and whoever owns the partition.
  void change_rules() {
    if (put_next < connectors || draw.below(40) > 0)
      return;
    const auto node = some_node();
    const auto which = static_cast<std::size_t>(draw.below(setting_book::count));
    const auto is_delete = draw.below(4) == 0;
    const auto number = changes + 1;
    if (!node || !rules.begin(which, number, is_delete, moment_now().order))
      return;
    ++changes;
    const auto answered = [this, which] {
      ++counts.rules_changed;
      rules.done(which, moment_now().order);
    };
    const auto failed = [this, which, is_delete](const refusal& why) {
      if (is_delete && why.code == errc::not_found)
        return rules.found_nothing(which, moment_now().order);
      rules.unknown(which);
      if (why.code != errc::unavailable && why.code != errc::overloaded && why.code != errc::storage_full)
        complain("a rule is refused: " + why.detail);
    };
    if (is_delete)
      return ask<void>(*node, delete_rule{{rule_name(which)}}, answered, failed);
    std::vector<connector_id> ids;
    for (std::size_t i = 0; i < connectors; ++i)
      ids.push_back({connector_of(i)});
    ask<rule>(
        *node, put_rule{to_rule(which, number, form_of(number), ids)}, [answered](rule&) { answered(); },
        failed);
  }

  /// Every node that would decide by its copy has what was answered, or what may have come since.
  void look_at_rules(std::size_t node) {
    const auto copy = machines[node]->runs->running->copy_of_settings()->current();
    if (!copy)
      return;
    ++counts.settings_looks;
    for (std::size_t which = 0; which < setting_book::count; ++which) {
      const auto value = copy->find({setting_kind::rule, rule_name(which)});
      rules.seen(which, value ? change_in(value->bytes) : std::nullopt, name_of(node));
    }
  }

  /// A new one, or one that was not answered, or was; to any node.
  void send_trigger() {
    const auto node = some_node();
    if (!node || put_next < connectors)
      return;
    planned_trigger one;
    if (!trigger_again.empty() && (calm || draw.below(2) == 0)) {
      one = trigger_again.front();
      trigger_again.pop_front();
    } else {
      std::array<char, 37> text{};
      std::snprintf(text.data(), text.size(), "00000000-0000-4001-8000-%012llx",
                    static_cast<unsigned long long>(++triggers_made));
      if (draw.below(4) > 0)
        one.id = event_id::parse(text.data());
      one.kind = static_cast<std::uint32_t>(draw.below(kind_count));
    }
    one.serial = ++trigger_serial;
    trigger made_now;
    made_now.event = event_name_of(one.serial);
    made_now.occurred_at = {1'779'546'071'412};
    made_now.data_json = data_of(one.kind, 20);
    made_now.id = one.id;
    triggers.sent(one, moment_now());
    ++counts.triggers;
    ask<trigger_result>(
        *node, std::move(made_now), [this, one](trigger_result& answer) { take_answer(one, answer); },
        [this, one](const refusal& why) {
          triggers.ended(one.serial, moment_now());
          if (one.id)
            trigger_again.push_back(one);
          if (why.code != errc::unavailable && why.code != errc::overloaded)
            complain("a trigger is refused: " + std::string{to_string(why.code)} + " " + why.detail);
        });
  }

  void take_answer(const planned_trigger& one, const trigger_result& answer) {
    ++counts.triggers_answered;
    triggers.answered(one.serial, answer, rules, &known_connectors, moment_now());
    auto& of = named[one.serial];
    for (const auto& each : answer.events)
      if (const auto* yes = std::get_if<accepted>(&each.result))
        if (const auto to = number_of_connector(each.connector)) {
          counts.completed += yes->duplicate ? 1 : 0;
          of.insert({*to, yes->id});
        }
    taken.insert(of.begin(), of.end());
    const auto& there = came[one.serial];
    if (!std::includes(of.begin(), of.end(), there.begin(), there.end()))
      complain("trigger #" + std::to_string(one.serial) + " was answered without all that it became");
    if (one.id && !calm && draw.below(10) == 0)
      trigger_again.push_back(one); // all of it is there
  }

  void rule_made_it(const rule_mark& mark, std::uint32_t to, const event_id& id, const std::string& body) {
    triggers.arrived(mark.serial, to, id, body, rules, &known_connectors);
    came[mark.serial].insert({to, id});
    const auto answer = named.find(mark.serial);
    if (answer != named.end() && !answer->second.contains({to, id}))
      complain("trigger #" + std::to_string(mark.serial) + " was answered without event " + id.to_string() +
               ", which is delivered");
    delivered_rule_made.insert({to, id});
  }

  /// All of them are answered, and all that was answered was delivered.
  void check_triggers() {
    counts.rule_made = taken.size();
    for (const auto& [to, id] : taken) {
      const auto who = "event " + id.to_string() + ", which a rule made for " + connector_of(to) + ",";
      if (!delivered_rule_made.contains({to, id}))
        return complain(who + " was accepted, and is not delivered");
      if (!fed_rule_made.contains({to, id}))
        return complain(who + " was delivered, and the feed does not say so");
    }
    if (const auto open = triggers.unanswered(); !open.empty())
      complain("trigger #" + std::to_string(open.front().serial) +
               " is not answered, however often it is sent");
  }

  // -- what must be -----------------------------------------------------------------------------------------------------

  void look() {
    for (std::size_t i = 0; i < machines.size(); ++i)
      if (machines[i]->runs)
        look_at_rules(i);
    if (!complaints.empty())
      complain(complaints.front().rule + ": " + complaints.front().detail);
    for (std::uint32_t partition = 0; partition <= partitions; ++partition) {
      std::string who;
      for (std::size_t i = 0; i < machines.size(); ++i) {
        if (!machines[i]->runs)
          continue;
        const auto& part = *machines[i]->runs->part;
        if (const auto permit = part.permit_of(partition); permit && permit->holds()) {
          if (!who.empty())
            complain("partition " + std::to_string(partition) + " is delivered by " + who + " and " +
                     name_of(i) + " at the same time");
          who = name_of(i);
        }
        if (const auto& why = part.trouble_of(partition); !why.empty())
          complain(name_of(i) + " does not follow partition " + std::to_string(partition) + ": " + why);
      }
    }
  }

  [[nodiscard]] const partition_store& store_of(std::size_t node, std::uint32_t partition) const {
    return *machines[node]->runs->running->stores()[partition];
  }

  [[nodiscard]] std::vector<std::size_t> keepers_of(std::uint32_t partition) const {
    std::vector<std::size_t> nodes;
    for (std::size_t i = 0; i < machines.size(); ++i)
      if (machines[i]->runs->part->follows(partition))
        nodes.push_back(i);
    return nodes;
  }

  /// That of settings is kept by all.
  [[nodiscard]] std::size_t copies_of(std::uint32_t partition) const {
    return partition == partitions ? machines.size() : copies;
  }

  [[nodiscard]] bool all_run() const {
    return std::all_of(machines.begin(), machines.end(),
                       [](const auto& each) { return each->runs != nullptr; });
  }

  /// Whoever keeps a partition is gone, and does not come back: somebody else has to own it soon.
  void lose_all_who_keep_one() {
    for (const auto until_ms = now_ms + settling_ms;
         found.empty() && now_ms < until_ms;) // all have looked by then
      step();
    const auto partition = static_cast<std::uint32_t>(draw.below(partitions));
    if (!found.empty() || !all_run() || keepers_of(partition).size() == machines.size() ||
        database.trimmed_to(partition) > 1) // then nobody else can have all of it
      return;
    for (const auto node : keepers_of(partition)) {
      say(name_of(node) + ", which keeps partition " + std::to_string(partition) + ", is gone");
      end_process(node);
      machines[node]->start_at_ms = now_ms + 10 * taken_up_ms;
    }
    const auto is_owned = [&] {
      return std::any_of(machines.begin(), machines.end(), [&](const auto& each) {
        const auto permit = each->runs ? each->runs->part->permit_of(partition) : nullptr;
        return permit && permit->holds();
      });
    };
    for (const auto until_ms = now_ms + taken_up_ms; found.empty() && !is_owned();) {
      if (now_ms >= until_ms)
        return complain("nobody takes up partition " + std::to_string(partition) + ", which nobody keeps");
      step();
    }
    for (auto& each : machines)
      each->start_at_ms = now_ms;
  }

  /// Each partition is kept by as many nodes as are wanted, and they have the same.
  bool end_at_the_same() {
    for (std::uint32_t partition = 0; partition <= partitions; ++partition) {
      const auto nodes = keepers_of(partition);
      if (nodes.size() != copies_of(partition))
        return false;
      for (const auto node : nodes)
        if (store_of(node, partition).last_round() != store_of(nodes.front(), partition).last_round())
          return false;
    }
    return true;
  }

  std::optional<std::map<setting_key, std::string>> settings_of(std::size_t which) {
    const auto copy = machines[which]->runs->running->copy_of_settings()->current();
    if (!copy)
      return std::nullopt;
    std::map<setting_key, std::string> all;
    copy->visit_after({}, [&](const settings_snapshot::entry_ptr& each) {
      all.emplace(each->key, each->bytes);
      return true;
    });
    return all;
  }

  void compare_copies() {
    for (std::size_t i = 0; i < machines.size(); ++i)
      if (const auto all = settings_of(i); !all)
        return complain(name_of(i) + " can't decide by its copy of the settings");
      else if (*all != *settings_of(0))
        return complain(name_of(i) + " has other settings than " + name_of(0));
    for (std::uint32_t partition = 0; partition <= partitions && found.empty(); ++partition) {
      const auto of = "of partition " + std::to_string(partition);
      const auto nodes = keepers_of(partition);
      for (std::size_t i = 0; i < machines.size(); ++i)
        if (const auto at = decode_log_position(store_of(i, partition).position()))
          say(name_of(i) + " is at record " + std::to_string(at->history.last().number) + " " + of);
      if (nodes.size() != copies_of(partition))
        return complain(std::to_string(nodes.size()) + " nodes follow the log " + of + ", not " +
                        std::to_string(copies_of(partition)));
      const auto& first = store_of(nodes.front(), partition);
      for (std::size_t i = 0; i < machines.size(); ++i) {
        const auto& other = store_of(i, partition);
        if (machines[i]->runs->part->follows(partition) && first.last_round() != other.last_round())
          return complain("copies " + of + " end at " + std::to_string(first.committed_end()) + " and " +
                          std::to_string(other.committed_end()));
        // What a node does not follow any more is as it was when it did.
        for (log_sequence at = 1; at <= other.committed_end(); ++at) {
          const auto left = first.read_event(at, true);
          const auto right = other.read_event(at, true);
          if (left.has_value() != right.has_value() ||
              (left && (left->id != right->id || *left->envelope != *right->envelope)))
            return complain("copies " + of + " differ at position " + std::to_string(at));
        }
      }
    }
  }

  dice draw;
  faults fault;
  std::uint64_t rule_seed;
  std::filesystem::path folder;
  std::function<void(std::string_view)> trace;
  std::filesystem::path key_file;
  std::string found;
  totals counts;
  std::int64_t now_ms = 1'000'000;
  simulated_database database;
  simulated_members members{database};
  std::size_t copies = 0; ///< that each partition is to have
  bool trims = false;     ///< its logs; else they are kept as long as the world lasts
  std::int64_t outage_until_ms = 0;
  std::int64_t slow_until_ms = 0;
  std::int64_t standby_away_until_ms = 0; ///< commits can be seen, and are not acknowledged
  config configured;
  caf::actor_system system{configured};
  std::deque<timer> timers;
  std::vector<std::unique_ptr<machine>> machines;
  bool calm = false;

  using rule_made = std::pair<std::uint32_t, event_id>; ///< connector and id
  std::vector<complaint> complaints;
  setting_book rules{complaints};
  connector_book known_connectors{connectors, complaints};
  trigger_book triggers{[this](std::uint64_t number) { return form_of(number); }, number_of_connector,
                        complaints};
  std::uint64_t changes = 0; ///< of rules
  std::uint64_t order = 0;
  std::uint64_t triggers_made = 0; ///< different ones
  std::uint64_t trigger_serial = 0;
  std::deque<planned_trigger> trigger_again;
  std::map<std::uint64_t, std::set<rule_made>> named; ///< by a trigger's answer
  std::map<std::uint64_t, std::set<rule_made>> came;  ///< to an endpoint, from a trigger
  std::set<rule_made> taken;                          ///< by an answer
  std::set<rule_made> delivered_rule_made;
  std::set<rule_made> fed_rule_made;
  std::uint32_t put_next = 0;
  bool putting = false;
  std::size_t made = 0;
  std::deque<std::size_t> again;
  std::set<std::size_t> accepted_ids;
  std::map<std::size_t, std::size_t> deliveries;
  std::string cursor;
  bool reading = false;
  std::set<std::string> fed;
  std::set<std::size_t> fed_delivered;
};

cluster_world::cluster_world(std::uint64_t seed, const std::filesystem::path& folder, const faults& with,
                             std::function<void(std::string_view)> trace)
    : rep_{std::make_unique<rep>(seed, folder, with, std::move(trace))} {}

cluster_world::~cluster_world() = default;

void cluster_world::run(int steps) {
  for (auto i = 0; i < steps && rep_->found.empty(); ++i)
    rep_->step();
}

void cluster_world::calm_down() {
  auto& it = *rep_;
  it.calm = true;
  it.fault = {false, false, false, false, false, false, false, false, false, false, false};
  it.outage_until_ms = it.slow_until_ms = it.standby_away_until_ms = 0;
  for (auto& each : it.machines) {
    each->paused_until_ms = 0;
    each->start_at_ms = 0;
    each->full_until_ms = std::min(each->full_until_ms, it.now_ms);
  }
  constexpr std::int64_t longest_ms = 120'000;
  const auto is_done = [&] {
    return std::all_of(it.accepted_ids.begin(), it.accepted_ids.end(),
                       [&](std::size_t number) {
                         return it.deliveries.contains(number) && it.fed_delivered.contains(number);
                       }) &&
           std::includes(it.delivered_rule_made.begin(), it.delivered_rule_made.end(), it.taken.begin(),
                         it.taken.end()) &&
           std::includes(it.fed_rule_made.begin(), it.fed_rule_made.end(), it.taken.begin(),
                         it.taken.end()) &&
           it.triggers.unanswered().empty();
  };
  it.lose_all_who_keep_one();
  const auto from_ms = it.now_ms;
  while (it.found.empty() && !is_done() && it.now_ms - from_ms < longest_ms)
    it.step();
  for (std::uint32_t partition = 0; partition <= partitions; ++partition)
    it.counts.records_trimmed += std::max<std::uint64_t>(it.database.trimmed_to(partition), 1) - 1;
  it.counts.accepted = it.accepted_ids.size();
  it.counts.delivered = it.deliveries.size();
  if (!it.found.empty())
    return;
  for (const auto number : it.accepted_ids) {
    if (!it.deliveries.contains(number))
      return it.complain("event " + std::to_string(number) + " was accepted, and is not delivered");
    if (!it.fed_delivered.contains(number))
      return it.complain("event " + std::to_string(number) + " was delivered, and the feed does not say so");
  }
  it.check_triggers();
  if (!it.found.empty())
    return;
  // What is still to be followed, up to a round at the very end, and what an owner knows to be durable a second later.
  for (const auto until_ms = it.now_ms + 90'000;
       it.found.empty() && it.now_ms < until_ms && !(it.all_run() && it.end_at_the_same());)
    it.step();
  if (it.found.empty())
    it.compare_copies();
}

const std::string& cluster_world::violation() const {
  return rep_->found;
}

const cluster_world::totals& cluster_world::counted() const {
  return rep_->counts;
}

} // namespace vicket::sim
