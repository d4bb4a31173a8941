// Events a second through the actor port alone: batches over mutual TLS from one process to another whose gateway accepts
// them at once. The sub-protocols take turns, so that what else the machine does meets both.

#include "bench/harness/process_usage.hpp"
#include "bench/link/feeders.hpp"
#include "messages/actors.hpp"
#include "tests/support/certificates.hpp"
#include "tests/support/child_process.hpp"

#include <CLI/CLI.hpp>
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using namespace vicket;
using namespace vicket::bench;

constexpr int exit_usage = 2;
constexpr std::int64_t patience_ms = 60'000;
constexpr unsigned longest_life_s = 600;

struct options {
  std::size_t pairs = 3;
  link_load load;
  std::string as; ///< empty: the one that starts the others
};

std::int64_t own_cpu_ns() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto ns = [](const timeval& t) { return t.tv_sec * 1'000'000'000 + t.tv_usec * 1'000; };
  return ns(usage.ru_utime) + ns(usage.ru_stime);
}

/// As a child: prints what it found.
void feed(const options& with) {
  const auto begin = std::chrono::steady_clock::now();
  const auto events = with.as == "json" ? feed_in_json(with.load) : feed_in_caf(with.load);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  std::printf("fed %.0f %.3f\n", static_cast<double>(events) / took.count(),
              static_cast<double>(own_cpu_ns()) / 1e3 / static_cast<double>(events));
}

struct finding {
  double events_per_s = 0;
  double engine_us = 0; ///< of CPU, for each event
  double node_us = 0;
};

class link_bench {
public:
  explicit link_bench(const options& with) : with_{with} {}

  void run() {
    std::vector<finding> caf;
    std::vector<finding> json;
    std::vector<double> ratios;
    for (std::size_t i = 0; i < with_.pairs; ++i) {
      caf.push_back(measure("caf"));
      json.push_back(measure("json"));
      ratios.push_back(json.back().events_per_s / caf.back().events_per_s);
    }
    show("vicket.caf.1", caf);
    show("vicket.json.1", json);
    std::printf("json / caf, median of %zu pairs: %.2f\n", ratios.size(), median(ratios));
  }

private:
  static double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
  }

  static void show(const char* name, const std::vector<finding>& all) {
    const auto of = [&](double finding::*what) {
      std::vector<double> values;
      for (const auto& one : all)
        values.push_back(one.*what);
      return median(values);
    };
    std::printf("%-14s %9.0f events/s, CPU per event: engine %.2f us, node %.2f us\n", name,
                of(&finding::events_per_s), of(&finding::engine_us), of(&finding::node_us));
  }

  [[nodiscard]] std::vector<std::string> arguments(const std::string& as, const std::string& port) const {
    return {std::filesystem::read_symlink("/proc/self/exe").string(),
            "--as",
            as,
            "--port",
            port,
            "--seconds",
            std::to_string(with_.load.duration.count() / 1'000),
            "--batch",
            std::to_string(with_.load.batch_events),
            "--under-way",
            std::to_string(with_.load.under_way),
            "--cert",
            cert_.path(),
            "--key",
            key_.path(),
            "--ca",
            ca_.path()};
  }

  /// Fails with what the child said.
  static std::string line_of(testing::child_process& child, const std::string& beginning) {
    const auto line = child.read_line(beginning, patience_ms);
    if (!line)
      throw std::runtime_error{"no line \"" + beginning + "…\" from a child; what it said is above"};
    return *line;
  }

  [[nodiscard]] finding measure(const std::string& sub_protocol) const {
    testing::child_process node{arguments("node", "0"), "/dev/stderr", longest_life_s};
    const auto port = line_of(node, "port ");
    const auto before = cpu_time_ns(node.id());
    testing::child_process engine{arguments(sub_protocol, port), "/dev/stderr", longest_life_s};
    const auto fed = line_of(engine, "fed ");
    const auto node_ns = cpu_time_ns(node.id()) - before;
    finding found;
    if (std::sscanf(fed.c_str(), "%lf %lf", &found.events_per_s, &found.engine_us) != 2)
      throw std::runtime_error{"a child found nothing: " + fed};
    const auto seconds = static_cast<double>(with_.load.duration.count()) / 1e3;
    found.node_us = static_cast<double>(node_ns) / 1e3 / (found.events_per_s * seconds);
    return found;
  }

  const options with_;
  const testing::certificate_authority authority_;
  const testing::certificate own_ = authority_.good();
  const testing::temporary_file cert_{own_.pem};
  const testing::temporary_file key_{own_.key_pem};
  const testing::temporary_file ca_{authority_.pem()};
};

} // namespace

int main(int count, char** arguments) {
  options with;
  unsigned seconds = 5;
  CLI::App app{"Events a second through the actor port alone, in each of its sub-protocols."};
  app.add_option("--pairs", with.pairs, "how many times each is measured")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  app.add_option("--seconds", seconds, "for how long")->check(CLI::Range(1, 100))->capture_default_str();
  app.add_option("--batch", with.load.batch_events, "events of a batch")
      ->check(CLI::Range(std::size_t{1}, send_batch::max_items))
      ->capture_default_str();
  app.add_option("--under-way", with.load.under_way, "batches without an answer")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  // How it starts itself.
  app.add_option("--as", with.as)->group("");
  app.add_option("--port", with.load.port)->group("");
  app.add_option("--cert", with.load.tls.cert)->group("");
  app.add_option("--key", with.load.tls.key)->group("");
  app.add_option("--ca", with.load.tls.ca)->group("");
  try {
    app.parse(count, arguments);
  } catch (const CLI::ParseError& problem) {
    return app.exit(problem) == 0 ? EXIT_SUCCESS : exit_usage;
  }
  with.load.duration = std::chrono::seconds{seconds};
  try {
    register_message_types();
    if (with.as == "node")
      serve_link(with.load.tls);
    else if (!with.as.empty())
      feed(with);
    else
      link_bench{with}.run();
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "vicket-bench-link: %s\n", problem.what());
    return EXIT_FAILURE;
  }
  return EXIT_SUCCESS;
}
