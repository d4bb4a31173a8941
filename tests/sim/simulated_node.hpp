#pragma once

#include "actors/node.hpp"
#include "messages/actors.hpp"
#include "storage/testing/sim_disk.hpp"
#include "tests/sim/dice.hpp"
#include "tests/sim/endpoints.hpp"
#include "tests/sim/facts.hpp"
#include "tests/sim/late_log.hpp"
#include "tests/sim/plan.hpp"
#include "tests/support/manual_clock.hpp"

#include <caf/actor_system.hpp>
#include <caf/event_based_actor.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace caf::scheduler {
class test_coordinator;
}

namespace vicket::sim {

/// Where a run's lines go; without a sink nobody writes any.
class tracer {
public:
  /// `hidden`: a text that is left out wherever it stands, since it differs from run to run.
  void to(std::function<void(std::string_view)> sink, std::string hidden) {
    sink_ = std::move(sink);
    hidden_ = std::move(hidden);
  }
  [[nodiscard]] bool on() const noexcept { return static_cast<bool>(sink_); }
  void line(std::string text) const {
    if (!sink_)
      return;
    for (auto at = text.find(hidden_); at != text.npos && !hidden_.empty(); at = text.find(hidden_))
      text.erase(at, hidden_.size());
    sink_(text);
  }

private:
  std::function<void(std::string_view)> sink_;
  std::string hidden_;
};

/// The node's chance. Starts over with each action; throws when it is told to, in a supervisor only.
class node_chance final : public random_source {
public:
  std::uint64_t next() override;
  void start_over(std::uint64_t seed) { chance_ = dice{seed}; }

  /// The next supervisor that asks gets an exception.
  void fail_in_supervisor(std::function<void()> happened) { fails_ = std::move(happened); }
  void now_runs(bool supervisor) noexcept { in_supervisor_ = supervisor; }

private:
  dice chance_{0};
  std::function<void()> fails_;
  bool in_supervisor_ = false;
};

/// A whole node on CAF's deterministic coordinator, on a simulated disk: nothing happens but what this is told to let
/// happen, and what happens next among all that could is drawn.
class simulated_node {
public:
  struct observer {
    std::function<void(const std::string& why)> store_failed;
    std::function<void(std::string_view line)> disk_said;
    std::function<void()> clocks_moved;
    std::function<void(disk_user user)> before_job; ///< of RocksDB's
  };

  simulated_node(const plan& made, std::filesystem::path folder, std::shared_ptr<endpoints> transport,
                 const tracer& trace, observer told);
  ~simulated_node();
  simulated_node(const simulated_node&) = delete;
  simulated_node& operator=(const simulated_node&) = delete;

  sim_disk disk;
  testing::manual_clock clock;
  node_chance chance;

  /// The error is what the node said.
  [[nodiscard]] std::optional<std::string> start();
  [[nodiscard]] bool running() const noexcept { return node_ != nullptr; }
  /// As with `kill -9`, or the machine's end when the disk has crashed before.
  void kill(power_loss loss, std::uint64_t draw);
  /// Asks the node to stop; `done` is called when it has.
  void begin_stop(std::function<void(bool clean)> done) {
    node_->begin_stop(stop_patience_ms, std::move(done));
  }

  /// Sends a request to the node; one of the two is called when the answer comes, in this life or never.
  template <class Answer, class Request, class Done>
  void ask(Request request, Done done, std::function<void(const caf::error&)> failed) {
    system_->spawn([whom = node_->gateway(), request = std::move(request), done = std::move(done),
                    failed = std::move(failed), this, life = life_](caf::event_based_actor* self) mutable {
      auto refused = [this, life, failed = std::move(failed)](const caf::error& why) {
        in_life(life, [&] { failed(why); });
      };
      auto asked = self->request(whom, caf::infinite, std::move(request));
      if constexpr (std::is_void_v<Answer>)
        std::move(asked).then([this, life, done = std::move(done)] { in_life(life, done); },
                              std::move(refused));
      else
        std::move(asked).then(
            [this, life, done = std::move(done)](Answer& answer) { in_life(life, [&] { done(answer); }); },
            std::move(refused));
    });
  }
  [[nodiscard]] std::shared_ptr<const settings_snapshot> settings() const {
    return node_->copy_of_settings()->current();
  }

  /// Some actors get their turn only when nothing else can happen, so that what they say comes late. `draw` decides
  /// which; 0: none.
  void hold_back(std::uint64_t draw) noexcept { held_back_ = draw; }
  /// The next supervisor that has something to do dies of the message before it looks at it.
  void supervisor_dies(std::function<void()> happened) { dies_ = std::move(happened); }
  /// One of the things that can happen now; false: nothing moves.
  bool run_one(dice& which, bool also_held_back);
  /// Of RocksDB's jobs, at most so many.
  void run_background(std::size_t jobs);

  /// Time goes by until `until_ms` or until something can happen, whichever is first.
  void wait_until(std::int64_t until_ms);
  [[nodiscard]] moment now() { return {clock.wall_now().value, steady_ms(), ++order_}; }
  [[nodiscard]] std::int64_t steady_ms() const { return clock.steady_us() / 1'000; }
  void set_wall_forward_ms(std::int64_t jump_ms);
  [[nodiscard]] std::uint32_t life() const noexcept { return life_; }

  /// What of a data folder is on the simulated disk: a copy for each partition, that of settings last.
  using folder_copy = std::vector<sim_disk::folder_copy>;
  [[nodiscard]] folder_copy copy() const;
  void restore(const folder_copy& older);

private:
  struct config;
  static constexpr std::int64_t stop_patience_ms = 30'000;

  template <class Call>
  void in_life(std::uint32_t life, Call call) {
    if (node_ != nullptr && life == life_)
      call();
  }
  [[nodiscard]] caf::scheduler::test_coordinator& coordinator() const;
  [[nodiscard]] std::filesystem::path partition_path(std::uint32_t number) const;
  void run_actor(std::size_t index);
  std::size_t put_held_back_last();
  void run_job(std::size_t index);

  const plan& plan_;
  const std::filesystem::path folder_;
  late_logs logs_;
  std::shared_ptr<endpoints> transport_;
  const tracer& trace_;
  observer told_;
  std::uint32_t life_ = 0;
  std::uint64_t order_ = 0;
  std::uint64_t held_back_ = 0;
  std::function<void()> dies_;
  std::unique_ptr<config> config_;
  std::unique_ptr<caf::actor_system> system_;
  std::unique_ptr<node> node_;
};

} // namespace vicket::sim
