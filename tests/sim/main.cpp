// The simulator: a whole node in one thread, on a disk that fails, before endpoints that fail, under a clock that jumps,
// with everything that a user can do; and an oracle that knows what was promised. All of it follows from the seed.
#include "actors/node.hpp"
#include "tests/sim/cluster_world.hpp"
#include "tests/sim/plan.hpp"
#include "tests/sim/shrink.hpp"
#include "tests/sim/world_process.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <exception>
#include <filesystem>
#include <functional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace {

using namespace vicket::sim;
using vicket::register_all_types;

struct command_line {
  std::uint64_t seed = 1;
  std::uint64_t steps = 10'000;
  std::uint32_t world_steps = 400;
  std::string only;
  std::vector<std::string> without;
  unsigned shrink_s = 60;
  std::uint64_t at_least = 0;
  unsigned jobs = 1;
  bool keep_going = false;
  bool repeat = false;
  bool quiet = false;
  bool cluster = false;
  std::uint64_t cluster_steps = 12'000;
  world_settings worlds;
};

/// On a file system without a disk, where there is one: each start of a node looks into it.
class scratch_folder {
public:
  scratch_folder() {
    const std::filesystem::path memory = "/dev/shm";
    std::error_code none;
    const auto below =
        std::filesystem::is_directory(memory, none) ? memory : std::filesystem::temp_directory_path();
    auto pattern = (below / "vicket-sim-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr)
      throw std::runtime_error("no temporary folder");
    path_ = pattern;
  }
  ~scratch_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  scratch_folder(const scratch_folder&) = delete;
  scratch_folder& operator=(const scratch_folder&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

private:
  std::filesystem::path path_;
};

/// `1,4-6` and back.
std::vector<std::uint32_t> parse_places(const std::string& text) {
  std::vector<std::uint32_t> places;
  const auto* at = text.data();
  const auto* const end = text.data() + text.size();
  while (at < end) {
    std::uint32_t first = 0;
    at = std::from_chars(at, end, first).ptr;
    auto last = first;
    if (at < end && *at == '-')
      at = std::from_chars(at + 1, end, last).ptr;
    for (auto place = first; place <= last; ++place)
      places.push_back(place);
    if (at < end && *at != ',')
      throw std::runtime_error("--only: like 1,4-6");
    ++at;
  }
  return places;
}

std::string to_text(const std::vector<std::uint32_t>& places) {
  std::string text;
  for (std::size_t i = 0; i < places.size();) {
    auto last = i;
    while (last + 1 < places.size() && places[last + 1] == places[last] + 1)
      ++last;
    text += (text.empty() ? "" : ",") + std::to_string(places[i]);
    if (last > i)
      text += '-' + std::to_string(places[last]);
    i = last + 1;
  }
  return text;
}

/// The places of all actions but those that have one of these names.
std::vector<std::uint32_t> places_without(const std::vector<std::string>& names, const world_order& order) {
  auto places = all_places(order.steps);
  if (names.empty())
    return places;
  const auto made = make_plan(order.seed, order.steps);
  std::erase_if(places, [&](std::uint32_t place) {
    return std::find(names.begin(), names.end(), name_of(made.actions[place])) != names.end();
  });
  return places;
}

std::vector<world_order> worlds_of(const command_line& asked) {
  std::vector<world_order> orders;
  auto left = asked.steps;
  for (auto seed = asked.seed; left > 0; ++seed) {
    world_order order;
    order.seed = seed;
    order.steps = static_cast<std::uint32_t>(std::min<std::uint64_t>(left, asked.world_steps));
    order.kept = asked.only.empty() ? places_without(asked.without, order) : parse_places(asked.only);
    left -= order.steps;
    orders.push_back(std::move(order));
    if (!asked.only.empty())
      break;
  }
  return orders;
}

world_order shrunk(const world_order& failing, const complaint& found, const command_line& asked) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{asked.shrink_s};
  auto settings = asked.worlds;
  settings.trace = false;
  settings.limit_s = std::min(settings.limit_s, 20u);
  auto result = failing;
  result.kept = shrink(
      failing.kept,
      [&](const std::vector<std::uint32_t>& kept) {
        const auto again = run_world({failing.seed, failing.steps, kept}, settings);
        return again.found && again.found->rule == found.rule;
      },
      [&] { return std::chrono::steady_clock::now() < until; });
  return result;
}

void report(const world_order& failing, const world_result& result, const command_line& asked) {
  std::printf("\nseed %llu, %u steps: %s\n  %s\n", static_cast<unsigned long long>(failing.seed),
              failing.steps, result.found->rule.c_str(), result.found->detail.c_str());
  std::fflush(stdout);
  auto shortest = failing;
  auto last = result;
  if (asked.shrink_s > 0) {
    shortest = shrunk(failing, *result.found, asked);
    auto settings = asked.worlds;
    settings.trace = false;
    if (auto again = run_world(shortest, settings); again.found)
      last = std::move(again);
    std::printf("  shortest: %s\n", last.found->detail.c_str());
  }
  for (const auto& story : last.stories)
    std::printf("  %s\n", story.c_str());
  const auto made = make_plan(failing.seed, failing.steps);
  if (shortest.kept.size() <= 60) {
    std::printf("  the shortest plan, on %s:\n", describe(made.shape).c_str());
    for (const auto place : shortest.kept)
      std::printf("    %s\n", describe(made.actions[place], made.shape).c_str());
  }
  std::printf("  again: vicket-sim --seed %llu --steps %u --world-steps %u --trace --only %s\n",
              static_cast<unsigned long long>(failing.seed), failing.steps, failing.steps,
              to_text(shortest.kept).c_str());
  std::fflush(stdout);
}

/// Each world twice, whatever is found in it, and the traces compared.
bool repeats(const std::vector<world_order>& orders, world_settings settings) {
  settings.hash = true;
  settings.ignored = {""};
  bool same = true;
  for (const auto& order : orders) {
    if (run_world(order, settings).trace_hash != run_world(order, settings).trace_hash) {
      std::printf("seed %llu: two runs have two traces\n", static_cast<unsigned long long>(order.seed));
      same = false;
    }
  }
  return same;
}

/// Clusters of nodes instead of one alone.
int run_clusters(const command_line& asked, const std::filesystem::path& folder) {
  register_all_types();
  cluster_world::totals all;
  std::size_t worlds = 0;
  int code = 0;
  auto left = asked.steps;
  for (auto seed = asked.seed; left > 0; ++seed, ++worlds) {
    const auto steps = std::min<std::uint64_t>(left, asked.cluster_steps);
    left -= steps;
    const auto own = folder / std::to_string(seed);
    std::filesystem::create_directories(own);
    std::function<void(std::string_view)> trace;
    if (asked.worlds.trace)
      trace = [](std::string_view line) {
        std::printf("%.*s\n", static_cast<int>(line.size()), line.data());
        std::fflush(stdout);
      };
    {
      cluster_world world{seed, own, {}, trace};
      world.run(static_cast<int>(steps));
      world.calm_down();
      const auto& counted = world.counted();
      all.accepted += counted.accepted;
      all.delivered += counted.delivered;
      all.delivered_again += counted.delivered_again;
      all.refused += counted.refused;
      all.ownerships += counted.ownerships;
      all.kills += counted.kills;
      all.long_absences += counted.long_absences;
      all.copies_records += counted.copies_records;
      all.taken_up += counted.taken_up;
      all.power_cuts += counted.power_cuts;
      all.failovers += counted.failovers;
      all.full_disks += counted.full_disks;
      all.lost_disks += counted.lost_disks;
      all.records_trimmed += counted.records_trimmed;
      all.checkpoints += counted.checkpoints;
      all.broken_checkpoints += counted.broken_checkpoints;
      all.stores_deleted += counted.stores_deleted;
      all.feed_entries += counted.feed_entries;
      all.rules_changed += counted.rules_changed;
      all.settings_looks += counted.settings_looks;
      all.triggers += counted.triggers;
      all.triggers_answered += counted.triggers_answered;
      all.rule_made += counted.rule_made;
      all.completed += counted.completed;
      if (!world.violation().empty()) {
        code = 1;
        std::printf(
            "\nseed %llu, %llu steps: %s\n  again: vicket-sim --cluster --seed %llu --steps %llu --trace\n",
            static_cast<unsigned long long>(seed), static_cast<unsigned long long>(steps),
            world.violation().c_str(), static_cast<unsigned long long>(seed),
            static_cast<unsigned long long>(steps));
        std::fflush(stdout);
      }
    }
    std::error_code ignored;
    std::filesystem::remove_all(own, ignored);
    if (code != 0 && !asked.keep_going)
      break;
  }
  const auto row = [](const char* name, std::size_t value) { std::printf("  %-40s %10zu\n", name, value); };
  row("clusters", worlds);
  row("events accepted", all.accepted);
  row("events delivered", all.delivered);
  row("  more than once", all.delivered_again);
  row("answers that it can't be taken now", all.refused);
  row("times that a node became an owner", all.ownerships);
  row("processes killed", all.kills);
  row("  and gone for half a minute or more", all.long_absences);
  row("machines whose power was cut", all.power_cuts);
  row("records of who keeps a partition", all.copies_records);
  row("times that one was taken up by another", all.taken_up);
  row("failovers of the database", all.failovers);
  row("disks that were full for a while", all.full_disks);
  row("disks that were lost", all.lost_disks);
  row("records of logs that were trimmed", all.records_trimmed);
  row("checkpoints that nodes began with", all.checkpoints);
  row("  that did not come to their end", all.broken_checkpoints);
  row("stores deleted, which others keep", all.stores_deleted);
  row("entries of the feed, read across nodes", all.feed_entries);
  row("rules changed", all.rules_changed);
  row("looks at a node's copy of them", all.settings_looks);
  row("triggers sent", all.triggers);
  row("  answered with what became of them", all.triggers_answered);
  row("events that rules made of them", all.rule_made);
  row("  found there from a sending before", all.completed);
  if (all.accepted == 0 || all.rule_made == 0 || all.ownerships < 2 * worlds) {
    std::printf("too little happened for that to say anything\n");
    code = 1;
  }
  return code;
}

int run(const command_line& asked) {
  const auto orders = worlds_of(asked);
  if (asked.repeat)
    return repeats(orders, asked.worlds) ? 0 : 1;
  const auto began = std::chrono::steady_clock::now();
  coverage met;
  std::uint64_t steps = 0;
  std::uint64_t handlers = 0;
  std::set<std::string> rules;
  std::deque<running_world> running; // in the order of their seeds, which is that of what is printed, too
  auto next = orders.begin();
  for (const auto& order : orders) {
    for (; next != orders.end() && running.size() < asked.jobs; ++next) {
      auto settings = asked.worlds;
      settings.folder /= std::to_string((next - orders.begin()) % asked.jobs);
      running.emplace_back(*next, settings);
    }
    const auto one = running.front().wait_for_end();
    running.pop_front();
    met.add(one.met);
    handlers += one.handlers;
    steps += order.kept.size();
    if (one.found && rules.insert(one.found->rule).second)
      report(order, one, asked);
    if (!rules.empty() && !asked.keep_going)
      break;
  }
  const auto took =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began).count();
  if (!asked.quiet)
    std::printf("\n%s", met.table().c_str());
  std::printf("\n%llu steps, %llu messages handled, %lld.%lld s, seeds from %llu on: %s\n",
              static_cast<unsigned long long>(steps), static_cast<unsigned long long>(handlers),
              static_cast<long long>(took / 1'000), static_cast<long long>(took / 100 % 10),
              static_cast<unsigned long long>(asked.seed),
              rules.empty() ? "nothing found" : (std::to_string(rules.size()) + " rules broken").c_str());
  if (asked.at_least > 0 && rules.empty())
    for (const auto& one : met.missing(asked.at_least)) {
      std::printf("too seldom: %s\n", one.c_str());
      rules.insert(one);
    }
  return rules.empty() ? 0 : 1;
}

} // namespace

int main(int count, char** arguments) {
  command_line asked;
  CLI::App app{"Simulates a whole node and finds out whether it keeps its promises."};
  app.add_option("--seed", asked.seed, "of the first world; the next has the next one")
      ->capture_default_str();
  app.add_option("--steps", asked.steps, "in all")->capture_default_str();
  app.add_option("--world-steps", asked.world_steps, "after so many a new world begins")
      ->capture_default_str();
  app.add_option("--only", asked.only, "of one world, these steps only: like 1,4-6");
  app.add_option("--without", asked.without, "leave out an operation, a fault or another step, by its name");
  app.add_flag("--trace", asked.worlds.trace, "print everything that happens");
  app.add_option("--ignore", asked.worlds.ignored, "pass over complaints whose rule contains this text");
  app.add_option("--jobs", asked.jobs, "so many worlds at a time")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  app.add_flag("--keep-going", asked.keep_going, "find more than one; of each rule the first is reported");
  app.add_option("--shrink-seconds", asked.shrink_s, "look for a shorter plan so long; 0: don't")
      ->capture_default_str();
  app.add_option("--at-least", asked.at_least, "fail when an operation met a fault less often");
  app.add_flag("--cluster", asked.cluster,
               "three to five nodes and a database instead of one node; a step is 5 ms")
      ->group("Clusters");
  app.add_option("--cluster-steps", asked.cluster_steps, "of one such world")
      ->capture_default_str()
      ->group("Clusters");
  app.add_flag("--repeat", asked.repeat, "run each world twice and compare the traces");
  app.add_flag("--quiet", asked.quiet, "without the table");
  app.add_option("--limit-seconds", asked.worlds.limit_s, "for one world")->capture_default_str();
  CLI11_PARSE(app, count, arguments);
  try {
    if (asked.worlds.trace)
      asked.jobs = 1; // one after the other
    const scratch_folder folder;
    asked.worlds.folder = folder.path();
    if (asked.cluster)
      return run_clusters(asked, folder.path());
    return run(asked);
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "vicket-sim: %s\n", problem.what());
    return 2;
  }
}
