#include "actors/node.hpp"

#include "actors/alarm.hpp"
#include "actors/backup_clerk.hpp"
#include "actors/checkpoint_source.hpp"
#include "actors/checkpoint_taker.hpp"
#include "actors/delivery.hpp"
#include "actors/gateway.hpp"
#include "actors/history.hpp"
#include "actors/history_reader.hpp"
#include "actors/history_sweeper.hpp"
#include "actors/node_watch.hpp"
#include "actors/partition_seat.hpp"
#include "actors/peer_door.hpp"
#include "actors/persistence.hpp"
#include "actors/router.hpp"
#include "actors/rule_desk.hpp"
#include "policy/retention_rule.hpp"
#include "storage/data_folder.hpp"
#include "storage/open_files.hpp"
#include "storage/round_log.hpp"
#include "storage/secret_key.hpp"
#include "storage/space_budget.hpp"

#include <caf/actor_system.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/init_global_meta_objects.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

namespace vicket {

const char* version() noexcept {
  return VICKET_VERSION;
}

void register_all_types() {
  register_message_types();
  register_peer_types();
  caf::init_global_meta_objects<caf::id_block::vicket_local>();
}

struct node::rep {
  rep(caf::actor_system& sys, node_options opt, node_environment env)
      : system{sys}, options{std::move(opt)},
        environment{std::move(env)}, clock{std::make_shared<const schedule_clock>(*environment.time)},
        shortages{std::make_shared<shortage_log>(environment.log_warning)} {}
  ~rep() { end_all(); }

  struct partition {
    std::shared_ptr<partition_store> store;
    persistence_actor persistence;
    history_reader_actor reader;
    // Of a node of a cluster: who asks for the partition asks its seat, whoever owns it.
    partition_seat_actor seat;
    owner_changed owner;          ///< as the seat was told
    checkpoint_taker_actor taker; ///< the last one; null: there was none
  };

  /// From so many places on each partition has a delivery actor of its own. With fewer, partitions share: an actor with
  /// fewer than this has no place to keep for connectors that hold none, and one without a place would start nothing.
  static constexpr std::size_t min_places_each = 8;
  /// Of the partition `settings`, which is written seldom and read when the node starts: memtables, and the block cache.
  static constexpr std::size_t settings_buffer_bytes = 1u << 20;

  caf::actor_system& system;
  node_options options;
  node_environment environment;
  std::shared_ptr<const schedule_clock> clock; ///< shared: supervisors may still end when the node has
  std::unique_ptr<data_folder> folder;
  std::shared_ptr<const secret_box> secrets;
  std::shared_ptr<shortage_log> shortages;
  node_watch_actor watch;
  std::shared_ptr<intake_gauge> intake = std::make_shared<intake_gauge>();
  std::vector<delivery_actor>
      deliveries;   ///< each serves the partitions whose number leaves its own by their count
  std::mutex mutex; ///< of a cluster's node; else nothing changes once it has started
  std::vector<partition> partitions; ///< the last one is `settings`; its actors are guarded by `mutex`
  std::shared_ptr<const settings_copy> settings;
  alarm_actor alarm;
  router_actor router;
  rule_desk_actor rules;
  history_actor history;
  history_sweeper_actor sweeper;
  backup_clerk_actor clerk;
  std::shared_ptr<std::atomic<bool>> ending = std::make_shared<std::atomic<bool>>(false);
  node_gateway_actor gateway;
  peer_door_actor door;                ///< null: no other node asks for anything
  checkpoint_source_actor checkpoints; ///< likewise

  void start_all(std::vector<std::shared_ptr<partition_store>> stores);
  void start_deliveries();
  void start_partition(std::uint32_t number, std::unique_ptr<round_log> log,
                       std::shared_ptr<const start_permit> permit);
  void start_front();
  void start_clerk();
  [[nodiscard]] bool is_settings(std::uint32_t number) const { return number == folder->partitions(); }
  [[nodiscard]] std::string name_of(std::uint32_t number) const {
    return "partition " + (is_settings(number) ? "settings" : std::to_string(number));
  }
  void tell_front(std::uint32_t partition);
  void end_all();

  /// All actors of the node but its watch come from here, so that none is started without being watched.
  template <class Class, caf::spawn_options Options = caf::no_spawn_options, class... Args>
  typename Class::handle spawn(const std::string& called, Args&&... args) {
    try {
      auto started = system.spawn<actor_of<Class>, Options>(std::forward<Args>(args)...);
      caf::anon_send(watch, watch_over{caf::actor_cast<caf::strong_actor_ptr>(started), called});
      return started;
    } catch (const std::exception& problem) {
      throw std::runtime_error{"the " + called + " could not be started: " + problem.what()};
    }
  }

  template <class Class, class... Args>
  typename Class::handle spawn_blocking(const std::string& called, Args&&... args) {
    if (options.own_threads)
      return spawn<Class, caf::detached>(called, std::forward<Args>(args)...);
    return spawn<Class>(called, std::forward<Args>(args)...);
  }
};

void node::rep::start_all(std::vector<std::shared_ptr<partition_store>> stores) {
  watch = system.spawn<actor_of<node_watch>>(environment.failed);
  alarm = spawn<vicket::alarm>("alarm", std::cref(*clock));
  start_deliveries();
  settings = std::make_shared<const settings_copy>(stores.back(), options.settings_fresh);
  partitions.resize(stores.size());
  for (std::uint32_t i = 0; i < stores.size(); ++i)
    partitions[i].store = std::move(stores[i]);
  if (!options.cluster)
    for (std::uint32_t i = 0; i < partitions.size(); ++i) {
      auto& store = *partitions[i].store;
      start_partition(i, environment.log ? environment.log(store) : std::make_unique<local_log>(store),
                      nullptr);
    }
  start_front();
}

/// The node's places in flight, shared out to the last one.
void node::rep::start_deliveries() {
  const auto places = std::max<std::size_t>(options.max_in_flight, 1);
  const auto count = std::clamp<std::size_t>(places / min_places_each, 1, folder->partitions());
  for (std::size_t i = 0; i < count; ++i) {
    delivery::setup delivering;
    delivering.transport = environment.transport;
    delivering.clock = clock.get();
    delivering.max_in_flight = places / count + (i < places % count ? 1 : 0);
    delivering.allow_http = options.allow_http;
    delivering.intake = intake;
    delivering.alarm = alarm;
    delivering.shortages = shortages;
    delivering.number = static_cast<std::uint32_t>(i);
    deliveries.push_back(spawn<delivery>("delivery " + std::to_string(i), std::move(delivering)));
  }
}

void node::rep::start_partition(std::uint32_t number, std::unique_ptr<round_log> log,
                                std::shared_ptr<const start_permit> permit) {
  const auto of_partition = " of " + name_of(number);
  auto& part = partitions[number];

  const auto& delivers = deliveries[number % deliveries.size()];

  persistence::setup writing;
  writing.partition = number;
  writing.store = part.store;
  writing.log = std::move(log);
  writing.permit = permit;
  writing.delivery = delivers;
  writing.own_threads = options.own_threads;
  writing.alarm = alarm;
  writing.clock = clock;
  writing.random = environment.random;
  writing.version = version();
  writing.secrets = secrets;
  writing.window = options.window;
  writing.budget = std::make_shared<window_budget>(options.window_memory_bytes / folder->partitions());
  writing.is_settings = is_settings(number);
  writing.settings_settle_ms = options.cluster ? settings_copy::settle_ms : 0;
  writing.attempt_wait_ms = options.attempt_wait_ms;
  writing.idle_ms = options.supervisor_idle_ms;
  if (options.crowd_of_supervisors != 0)
    writing.crowd = options.crowd_of_supervisors;
  writing.late_ms = retention_rule{options.retention_ms}.late_ms();
  if (options.max_unindexed != 0)
    writing.max_unindexed = options.max_unindexed;
  writing.history.budget_bytes = options.history_bytes_per_connector;
  writing.store_failed = environment.failed;
  writing.log_warning = environment.log_warning;
  part.persistence = spawn_blocking<persistence>("persistence" + of_partition, std::move(writing));

  history_reader::setup reading;
  reading.partition = number;
  reading.store = part.store;
  reading.persistence = part.persistence;
  reading.clock = clock.get();
  reading.permit = std::move(permit);
  reading.retention_ms = options.retention_ms;
  part.reader = spawn_blocking<history_reader>("history reader" + of_partition, std::move(reading));
}

/// Who asks for the partition is sent there.
void node::rep::tell_front(std::uint32_t number) {
  auto& part = partitions[number];
  if (part.persistence)
    part.owner.there = nullptr;
  part.owner.here = part.persistence;
  part.owner.reader_here = part.reader;
  caf::anon_send(part.seat, part.owner);
  caf::anon_send(door, serve_partition{number, part.persistence, part.reader});
}

void node::rep::start_front() {
  std::vector<partition_actor> heads;
  std::vector<partition_reader_actor> readers;
  if (options.cluster)
    for (std::uint32_t i = 0; i < partitions.size(); ++i)
      partitions[i].seat = spawn<partition_seat>("seat of " + name_of(i), i, name_of(i));
  for (std::uint32_t i = 0; i < folder->partitions(); ++i) {
    const auto& part = partitions[i];
    heads.push_back(options.cluster ? partition_actor{part.seat} : partition_actor{part.persistence});
    readers.push_back(options.cluster ? partition_reader_actor{part.seat}
                                      : partition_reader_actor{part.reader});
  }
  if (options.cluster) {
    checkpoint_source::setup lending;
    for (const auto& part : partitions)
      lending.stores.push_back(part.store);
    lending.folder = folder->path() / "checkpoints";
    lending.environment = environment.store;
    checkpoints = spawn_blocking<checkpoint_source>("source of checkpoints", std::move(lending));
    door =
        spawn<vicket::peer_door>("door for other nodes", peer_door::setup{folder->partitions(), checkpoints});
  }
  router = spawn<vicket::router>("router", heads);
  std::vector<std::shared_ptr<const partition_store>> stores;
  for (std::uint32_t i = 0; i < folder->partitions(); ++i)
    stores.push_back(partitions[i].store);
  sweeper = spawn_blocking<history_sweeper>("history sweeper", std::move(stores));
  start_clerk();
  auto limits = options.history;
  limits.partial_feeds = options.cluster.has_value();
  history = spawn<vicket::history>("history", std::move(readers), std::cref(*clock), limits);
  rule_desk::setup deciding;
  deciding.router = router;
  const auto& last = partitions.back();
  deciding.settings = options.cluster ? settings_actor{last.seat} : settings_actor{last.persistence};
  deciding.copy = settings;
  deciding.partitions = folder->partitions();
  deciding.clock = clock.get();
  deciding.random = environment.random;
  deciding.max_envelope_bytes = options.max_envelope_bytes;
  deciding.log_warning = environment.log_warning;
  rules = spawn<rule_desk>("desk of the rules", std::move(deciding));
  gateway::setup setup;
  setup.router = router;
  setup.history = history;
  setup.desk = rules;
  setup.clerk = clerk;
  setup.partitions = std::move(heads);
  setup.settings = options.cluster ? partition_actor{last.seat} : partition_actor{last.persistence};
  setup.clock = clock.get();
  setup.random = environment.random;
  setup.rules = connector_rules{options.allow_http, options.guard};
  setup.max_envelope_bytes = options.max_envelope_bytes;
  setup.max_uncommitted_bytes = options.max_uncommitted_bytes;
  setup.version = version();
  setup.intake = intake;
  gateway = spawn<vicket::gateway>("gateway", std::move(setup));
}

void node::rep::start_clerk() {
  backup_clerk::setup copying;
  copying.root = options.backup_root;
  copying.data_dir = folder->path();
  for (std::uint32_t i = 0; i < partitions.size(); ++i)
    copying.stores.push_back(
        {(is_settings(i) ? *folder->settings_path() : folder->partition_path(i)).filename().string(),
         partitions[i].store});
  copying.clustered = options.cluster.has_value();
  auto& about = copying.about;
  about.version = version();
  about.folder_format = folder->format();
  about.partitions = folder->partitions();
  about.key_fingerprint = folder->key_fingerprint().value_or("");
  if (options.cluster)
    about.cluster = backup_manifest::cluster_place{options.cluster->uuid, options.cluster->node};
  copying.clock = clock.get();
  copying.ending = ending;
  clerk = spawn_blocking<backup_clerk>("clerk of backups", std::move(copying));
}

namespace {

/// A single node's folder has what no log of a cluster has, and one of a cluster must be written by nobody else.
std::optional<std::string> place_complaint(data_folder& folder, const node_options& options) {
  const auto name = "data folder " + folder.path().string();
  const auto& is = folder.cluster();
  if (!options.cluster && is && is->node == data_folder::adopted)
    return name + " is what the cluster " + is->uuid +
           " began with, and what came since is not in it: its nodes have folders of their own";
  if (!options.cluster && is && is->node == data_folder::adopting)
    return name + " is what the cluster " + is->uuid +
           " was to begin with, and its making did not come to its end: run `vicket cluster init --adopt` "
           "with it "
           "again";
  if (!options.cluster)
    return is ? std::optional{name + " belongs to node " + is->node +
                              " of a cluster: start it with --cluster, " + "--node-name " + is->node +
                              " and --log"}
              : std::nullopt;
  if (is && *is != *options.cluster)
    return name + " belongs to node " + is->node + " of the cluster " + is->uuid + ", this is node " +
           options.cluster->node + " of " + options.cluster->uuid + ": name another folder";
  if (is && folder.partitions() != options.partitions)
    return name + " has " + std::to_string(folder.partitions()) + " partitions, the cluster " +
           std::to_string(options.partitions) + ": name another folder";
  if (is)
    return std::nullopt;
  if (folder.key_fingerprint() || folder.partitions() != options.partitions)
    return name + " is that of a single node: name an empty one (a cluster can be begun with a single node's "
                  "folder: "
                  "`vicket cluster init --adopt`)";
  if (auto status = folder.join(*options.cluster); !status.ok())
    return status.detail;
  return std::nullopt;
}

} // namespace

std::variant<std::unique_ptr<node>, std::string> node::start(caf::actor_system& system, node_options options,
                                                             node_environment environment) {
  auto parts = std::make_unique<rep>(system, std::move(options), std::move(environment));
  auto wanted = parts->options.partitions;
  if (wanted == 0 && !parts->options.cluster)
    wanted = std::clamp(std::thread::hardware_concurrency() / 2, 1u, data_folder::max_partitions);
  auto folder = data_folder::open(parts->options.data_dir, wanted);
  if (auto* why = std::get_if<store_status>(&folder))
    return why->detail;
  parts->folder = std::get<std::unique_ptr<data_folder>>(std::move(folder));
  if (auto why = place_complaint(*parts->folder, parts->options))
    return *why;
  auto secrets = open_secret_box(*parts->folder, parts->options.secret_key_file, parts->environment.random);
  if (auto* why = std::get_if<store_status>(&secrets))
    return why->detail;
  parts->secrets = std::get<std::shared_ptr<const secret_box>>(std::move(secrets));
  if (auto status = parts->folder->add_settings(); !status.ok())
    return status.detail;
  std::vector<std::shared_ptr<partition_store>> stores;
  const auto budget = std::make_shared<space_budget>();
  for (std::uint32_t i = 0; i <= parts->folder->partitions(); ++i) {
    const bool is_settings = parts->is_settings(i);
    store_options store;
    store.folder = is_settings ? *parts->folder->settings_path() : parts->folder->partition_path(i);
    store.environment = parts->environment.store;
    store.lineage_tag = static_cast<std::uint32_t>(parts->environment.random->next());
    store.budget = budget;
    store.secrets = parts->secrets;
    store.follows = parts->options.cluster.has_value();
    store.log_warning = parts->environment.log_warning;
    // The node's memory is for all partitions together.
    if (parts->options.store_write_buffer_bytes != 0)
      store.write_buffer_bytes = parts->options.store_write_buffer_bytes;
    store.write_buffer_bytes /= parts->folder->partitions();
    store.block_cache_bytes /= parts->folder->partitions();
    if (is_settings) {
      store.write_buffer_bytes = store.block_cache_bytes = rep::settings_buffer_bytes;
      store.open_tables = max_open_settings_tables;
    }
    auto opened = partition_store::open(std::move(store));
    if (auto* why = std::get_if<store_status>(&opened))
      return why->detail;
    stores.push_back(std::get<std::unique_ptr<partition_store>>(std::move(opened)));
  }
  try {
    parts->start_all(std::move(stores));
  } catch (const std::exception& problem) {
    if (parts->environment.failed)
      parts->environment.failed(problem.what());
    return problem.what();
  }
  return std::unique_ptr<node>{new node{std::move(parts)}};
}

node::node(std::unique_ptr<rep> parts) : rep_{std::move(parts)} {}

node::~node() = default;

void node::rep::end_all() {
  ending->store(true);
  caf::scoped_actor self{system};
  auto end = [&](auto& actor) {
    if (!actor)
      return;
    self->send_exit(actor, caf::exit_reason::user_shutdown);
    if (options.own_threads) // else the test's coordinator runs them, not us
      self->wait_for(actor);
    actor = nullptr;
  };
  end(watch); // first: that the others end is no failure from here on
  end(gateway);
  end(rules);
  end(history);
  end(sweeper);
  end(clerk);
  end(router);
  end(door);
  end(checkpoints);
  for (auto& part : partitions) {
    end(part.seat);
    end(part.taker);
  }
  for (auto& part : partitions) {
    end(part.reader);
    end(part.persistence);
  }
  for (auto& each : deliveries)
    end(each);
  end(alarm);
}

node_actor node::gateway() const {
  return rep_->gateway;
}

std::uint32_t node::partitions() const {
  return rep_->folder->partitions();
}

settings_actor node::settings() const {
  const auto& last = rep_->partitions.back();
  return rep_->options.cluster ? settings_actor{last.seat} : settings_actor{last.persistence};
}

std::shared_ptr<const settings_copy> node::copy_of_settings() const {
  return rep_->settings;
}

std::vector<std::shared_ptr<partition_store>> node::stores() const {
  std::vector<std::shared_ptr<partition_store>> all;
  for (const auto& part : rep_->partitions)
    all.push_back(part.store);
  return all;
}

std::shared_ptr<const secret_box> node::secrets() const {
  return rep_->secrets;
}

void node::own(std::uint32_t partition, std::unique_ptr<round_log> log,
               std::shared_ptr<const start_permit> permit) {
  const std::lock_guard lock{rep_->mutex};
  rep_->start_partition(partition, std::move(log), std::move(permit));
  rep_->tell_front(partition);
}

void node::owner_is(std::uint32_t partition, std::uint64_t epoch, const std::string& owner, peer_actor there,
                    const std::string& halted) {
  const std::lock_guard lock{rep_->mutex};
  auto& known = rep_->partitions[partition].owner;
  known.epoch = epoch;
  known.node = owner;
  known.there = std::move(there);
  known.halted = halted;
  rep_->tell_front(partition);
}

peer_actor node::door() const {
  return rep_->door;
}

void node::lend(make_checkpoint make) {
  caf::anon_send(rep_->checkpoints, lend_checkpoints{std::move(make)});
}

void node::take_checkpoint(std::uint32_t partition, peer_actor from,
                           std::function<void(std::uint64_t record)> opened,
                           std::function<void(const store_status&)> done) {
  const std::lock_guard lock{rep_->mutex};
  auto& part = rep_->partitions[partition];
  checkpoint_taker::setup taking;
  taking.partition = partition;
  taking.store = part.store;
  taking.from = std::move(from);
  if (rep_->options.copy_bytes_per_second != 0)
    taking.bytes_per_second = rep_->options.copy_bytes_per_second;
  taking.opened = std::move(opened);
  taking.done = std::move(done);
  // Not one of those that the node can't be without.
  part.taker = rep_->options.own_threads
                   ? rep_->system.spawn<actor_of<checkpoint_taker>, caf::detached>(std::move(taking))
                   : rep_->system.spawn<actor_of<checkpoint_taker>>(std::move(taking));
}

void node::stop_taking(std::uint32_t partition) {
  const std::lock_guard lock{rep_->mutex};
  if (const auto& taker = rep_->partitions[partition].taker)
    caf::anon_send_exit(taker, caf::exit_reason::user_shutdown);
}

void node::clear_store(std::uint32_t partition, std::function<void(const store_status&)> done) {
  const auto clear = [store = rep_->partitions[partition].store,
                      done = std::move(done)](caf::event_based_actor*) { done(store->clear()); };
  if (rep_->options.own_threads)
    rep_->system.spawn<caf::detached>(clear);
  else
    rep_->system.spawn(clear);
}

void node::drain_partition(std::uint32_t partition, std::int64_t patience_ms, std::function<void()> done) {
  const std::lock_guard lock{rep_->mutex};
  const auto head = rep_->partitions[partition].persistence;
  if (!head)
    return done();
  rep_->system.spawn([head, patience_ms, done = std::move(done)](caf::event_based_actor* self) {
    self->request(head, std::chrono::milliseconds{patience_ms}, drain{})
        .then(done, [done](const caf::error&) { done(); });
  });
}

void node::disown(std::uint32_t partition, std::function<void()> gone) {
  const std::lock_guard lock{rep_->mutex};
  auto& part = rep_->partitions[partition];
  const auto head = std::exchange(part.persistence, nullptr);
  const auto reader = std::exchange(part.reader, nullptr);
  if (!head)
    return gone();
  rep_->tell_front(partition);
  const auto missing = std::make_shared<std::atomic<int>>(2);
  const auto one_less = [missing, gone = std::move(gone)](const caf::error&) {
    if (--*missing == 0)
      gone();
  };
  const auto end = [&](const auto& actor) {
    const auto whom = caf::actor_cast<caf::strong_actor_ptr>(actor);
    caf::anon_send(rep_->watch, let_end{whom});
    whom->get()->attach_functor(one_less);
    caf::anon_send_exit(actor, caf::exit_reason::user_shutdown);
  };
  end(reader);
  end(head);
}

bool node::stop(std::int64_t patience_ms) {
  rep_->ending->store(true);
  caf::scoped_actor self{rep_->system};
  const auto patience = std::chrono::milliseconds{patience_ms};
  self->request(rep_->gateway, patience, drain{}).receive([] {}, [](const caf::error&) {});
  // Ask all first, so that they drain side by side.
  using answer = decltype(self->request(rep_->partitions.front().persistence, patience, drain{}));
  std::vector<answer> answers;
  for (const auto& part : rep_->partitions)
    if (part.persistence)
      answers.push_back(self->request(part.persistence, patience, drain{}));
  bool clean = true;
  for (auto& one : answers)
    one.receive([] {}, [&clean](const caf::error&) { clean = false; });
  return clean;
}

void node::end() {
  rep_->end_all();
}

void node::begin_stop(std::int64_t patience_ms, std::function<void(bool)> done) {
  rep_->ending->store(true);
  std::vector<persistence_actor> heads;
  for (const auto& part : rep_->partitions)
    heads.push_back(part.persistence);
  const auto patience = std::chrono::milliseconds{patience_ms};
  rep_->system.spawn([gateway = rep_->gateway, heads = std::move(heads), patience,
                      done = std::move(done)](caf::event_based_actor* self) {
    auto drain_partitions = [self, heads, patience, done] {
      auto missing = std::make_shared<std::size_t>(heads.size());
      auto clean = std::make_shared<bool>(true);
      auto one_less = [missing, clean, done] {
        if (--*missing == 0)
          done(*clean);
      };
      for (const auto& head : heads)
        self->request(head, patience, drain{}).then(one_less, [clean, one_less](const caf::error&) {
          *clean = false;
          one_less();
        });
    };
    self->request(gateway, patience, drain{}).then(drain_partitions, [drain_partitions](const caf::error&) {
      drain_partitions();
    });
  });
}

} // namespace vicket
