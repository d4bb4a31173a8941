#pragma once

#include "tests/sim/coverage.hpp"
#include "tests/sim/oracle.hpp"
#include "tests/sim/plan.hpp"
#include "tests/sim/simulated_node.hpp"

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace vicket::sim {

/// Carries out a plan: does to a node what its actions say, and tells the oracle what comes of it.
class driver {
public:
  struct settings {
    /// On the real file system, for the data folder's marker and lock; of the plan's number of partitions.
    std::filesystem::path folder;
    /// Complaints whose rule contains one of these are passed over.
    std::vector<std::string> ignored;
  };

  driver(const plan& made, settings with, const tracer& trace);

  /// Those of the actions whose place is in `kept`, in order, or until the oracle complains; then everything has to
  /// drain. The first complaint, if any.
  std::optional<complaint> run(const std::vector<std::uint32_t>& kept);

  [[nodiscard]] const coverage& met() const noexcept { return met_; }
  [[nodiscard]] std::string story(std::uint64_t serial) { return oracle_.events().story(serial); }
  [[nodiscard]] std::uint64_t handlers_run() const noexcept { return handlers_; }

private:
  // Actions (driver.cpp).
  void set_up();
  void carry_out(const action& one);
  void drain();
  void audit(bool everything_has_drained);
  void pass_retention();

  // Requests (driver_requests.cpp).
  void ask(const action& one);
  void send(const action& one);
  void send_single(const action& one);
  void send_many(const action& one);
  void change(operation what, std::uint32_t which, const connector& wanted);
  void put_known(const action& one);
  void put_new(const action& one);
  void remove(const action& one);
  void change_rule(const action& one);
  void look_at_rules();
  void send_triggers(const std::vector<planned_trigger>& triggers, std::uint32_t action_number);
  void send_what_was_not_answered();
  void read_feed(std::size_t reader, std::uint32_t limit, std::uint32_t wait_ms);
  void look_up_run(std::uint32_t action_number, bool everything);
  void look_up_event(const action& one);
  template <class Page, class Request>
  void read_history(Request request, std::shared_ptr<std::vector<event_history>> read, const moment& asked,
                    std::function<void(const std::set<std::uint64_t>& found)> finished);
  void check_page(const std::vector<event_history>& events, const std::vector<event_history>& before);
  void look_up_status(bool compare);
  void look_up_status(const get_status& request, node_status whole, bool compare);
  static constexpr std::uint32_t status_page = 2; ///< connectors: fewer than a world may have
  void list();
  void read_feeds_to_the_end();

  // Lives (driver_lives.cpp).
  void start();
  void restart(power_loss loss, std::uint64_t draw, const std::function<void()>& while_down = {});
  void stop_and_restart(std::uint64_t draw, const std::function<void()>& while_down = {});
  void copy_folder(std::uint64_t draw);
  void restore_folder(std::uint64_t draw);
  void recover_if_down(std::uint64_t draw);
  [[nodiscard]] bool down() const {
    return !node_.running() || node_.disk.crashed() || oracle_.node_has_failed();
  }

  // Letting it run (driver_lives.cpp).
  void let_run(std::uint32_t handlers);
  void run_to_rest();
  void pass_time(std::int64_t duration_ms);

  // The disk, the clocks and chance (driver_faults.cpp).
  void order(const action& one);
  void order_on_disk(fault what, std::uint32_t after, std::uint64_t draw);
  void strike_at_time();
  void move_clock(fault what, std::uint64_t draw);
  void fill_disk(std::uint64_t bytes);
  void squeeze_disk();
  void free_disk();
  void calm_disk();
  void disk_said(const std::string& line);
  void struck(fault what);
  void before_job(disk_user user);
  void after_disk_line(std::string_view line);
  [[nodiscard]] bool disk_is_well() const { return !full_ && !on_order_; }

  void say(const std::string& text) const {
    if (trace_.on())
      trace_.line("  " + text);
  }
  [[nodiscard]] bool found_something();
  [[nodiscard]] moment now() { return node_.now(); }
  [[nodiscard]] std::string name_of(std::uint32_t which) const {
    return plan_.shape.connectors[which].id.value;
  }

  const plan& plan_;
  const settings with_;
  const tracer& trace_;
  oracle oracle_;
  coverage met_;
  std::shared_ptr<endpoints> endpoints_;
  simulated_node node_;
  dice order_of_handlers_{0};
  std::vector<connector> wanted_; ///< what the connectors' owner wants them to be
  std::vector<std::uint32_t> sending_actions_;
  std::array<bool, oracle::readers> reading_{};
  std::uint64_t handlers_ = 0;
  std::size_t jobs_at_rest_ = 100; ///< of RocksDB, at most, each time that nothing else is to be done
  std::size_t judged_ = 0;         ///< complaints that were looked at

  // The disk.
  bool full_ = false;
  bool squeezed_ = false;
  bool on_order_ = false; ///< something is, or was since the disk was well
  struct open_order {
    fault what;
    std::uint32_t after;
    std::uint64_t draw;
  };
  struct timed_order {
    fault what;
    std::int64_t at_ms; ///< steady
    std::uint64_t draw;
  };
  std::vector<timed_order> timed_orders_; ///< of the clocks and the room on the disk
  bool crash_at_rename_ = false;
  std::optional<open_order> open_order_; ///< it has not struck yet; a start orders it again
  bool starting_ = false;
  bool fault_while_starting_ = false;
  bool machine_went_down_ = false;
  std::optional<std::pair<fault, std::uint32_t>> crash_in_job_;
  std::optional<std::uint32_t> crash_at_start_;

  struct saved {
    simulated_node::folder_copy files;
    oracle::copy knowledge;
  };
  static constexpr std::size_t max_copies = 3;
  std::vector<saved> copies_;
};

} // namespace vicket::sim
