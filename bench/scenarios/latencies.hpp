#pragma once

#include "bench/findings/percentiles.hpp"
#include "bench/report/results.hpp"
#include "bench/scenarios/traffic.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace vicket::bench {

/// The parts of an event's way. It begins when the event was to be sent, not when the feeder came to it, so that a
/// node that keeps its feeder waiting does not shorten its own times.
enum class stage : std::uint8_t { accepted_to_sink, sent_to_accepted, sent_to_sink };
inline constexpr std::array<stage, 3> all_stages{stage::accepted_to_sink, stage::sent_to_accepted,
                                                 stage::sent_to_sink};

[[nodiscard]] std::string key_of(stage part);   ///< "accepted_to_sink"
[[nodiscard]] std::string title_of(stage part); ///< "accepted → sink"

/// What events took, stage by stage.
class latencies {
public:
  latencies() = default;
  /// Of those whose turn was in [from_ns, until_ns) and that were accepted and delivered. After `traffic::finish`.
  latencies(const traffic& load, std::int64_t from_ns, std::int64_t until_ns);

  void add(const latencies& more);

  [[nodiscard]] percentiles of(stage part) const { return percentiles{spans_[index(part)]}; }
  [[nodiscard]] std::size_t count() const { return spans_[0].size(); }
  /// 0…1: the share that was at the sink before the feeder had read the answer; from accepted to sink they count as 0.
  [[nodiscard]] double overtaking_share() const;

private:
  static std::size_t index(stage part) { return static_cast<std::size_t>(part); }

  std::array<std::vector<std::int64_t>, all_stages.size()> spans_; ///< ns
  std::uint64_t overtaking_ = 0;
};

/// One more round's percentiles to each, for `figure::rounds`; `not_measured` of a round without samples.
struct rounds_of_percentiles {
  std::vector<double> p50_us;
  std::vector<double> p99_us;
  std::vector<double> p999_us;
  void add(const percentiles& round);
};

/// p50, p99 and p99.9 of all rounds together, each with the single rounds' beside it: `key`_p50, _p99, _p999.
void add_percentile_figures(std::vector<figure>& figures, const std::string& key, const std::string& title,
                            const percentiles& all, const rounds_of_percentiles& rounds);

/// Percentiles on x by nines, milliseconds on y; without lines.
[[nodiscard]] plot latency_plot(const std::string& title);

/// A sentence about `overtaking_share`; `what`: "at 5,000/s".
[[nodiscard]] std::string overtaking_note(const std::string& what, const latencies& of);

} // namespace vicket::bench
