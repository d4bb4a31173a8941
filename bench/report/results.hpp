#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

// What a run of the harness found out, as values: the scenarios fill it, table, JSON and HTML are made of it.

namespace vicket::bench {

/// How far a figure has to go: `must` is what a run fails without, `aim` what the engine is after.
struct goal {
  double must = 0;
  double aim = 0;
  bool more_is_better = true;

  [[nodiscard]] bool met(double value) const { return more_is_better ? value >= must : value <= must; }
  [[nodiscard]] bool aim_met(double value) const { return more_is_better ? value >= aim : value <= aim; }
};

/// One number. Its unit is "1" for a ratio, else "us", "ms", "s", "/s", "bytes", "%", "events", "instructions".
struct figure {
  std::string key;   ///< for machines, unique in its scenario: "deliveries_per_s"
  std::string title; ///< for people: "deliveries/s, durable, signed, HTTPS"
  double value = 0;
  std::string unit = "1";
  std::optional<goal> wanted;
  std::vector<double> rounds; ///< of what the value is the median, when it is one; in the order of the rounds
};

enum class axis_scale : std::uint8_t {
  linear,
  logarithmic,
  nines, ///< of percentiles, x in 0…100: 0, 90, 99, 99.9, … stand at equal distances
};

struct axis {
  std::string title; ///< with its unit: "latency, ms"
  axis_scale scale = axis_scale::linear;
};

struct plot_line {
  std::string title;
  std::vector<std::pair<double, double>> points; ///< x rising
};

struct plot {
  std::string title;
  axis x;
  axis y;
  std::vector<plot_line> lines;
};

struct scenario_result {
  std::string name;  ///< as on the command line: "throughput"
  std::string title; ///< a sentence: what was done against what
  std::vector<figure> figures;
  std::vector<plot> plots;
  std::vector<std::string> notes;      ///< what a reader has to know to judge the figures
  std::vector<std::string> violations; ///< lost, doubled, wrongly signed: not empty fails the run
  double took_s = 0;
};

/// What was measured, and on what.
struct run_result {
  std::string started_at; ///< RFC 3339
  std::string command;    ///< as it was typed
  std::string version;    ///< of the node
  std::string commit;     ///< of the checkout, "-dirty" when it was changed; empty if unknown
  std::string machine;    ///< "2 × Intel … , 24 GiB, Linux 6.1, Debian 12"
  std::string tools;      ///< "nginx 1.22.1, wrk 4.1.0, valgrind 3.19.0"
  std::vector<scenario_result> scenarios;
  double took_s = 0;
};

/// Nothing was lost, doubled or wrongly signed.
[[nodiscard]] bool correct(const run_result& run);
/// Every goal's `must` is met.
[[nodiscard]] bool fast_enough(const run_result& run);

} // namespace vicket::bench
