#pragma once

#include "tests/sim/dice.hpp"
#include "tests/sim/plan.hpp"
#include "transport/http_transport.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace vicket::sim {

/// The connectors' endpoints, and the transport that leads to them: answers each request as its connector's mood and
/// chance say, at once, a little later, or never. What a request is answered follows from the seed, its event and how
/// often it came, whatever else happened.
class endpoints final : public http_transport {
public:
  struct observer {
    std::function<void(std::uint64_t number, std::uint64_t serial, std::uint32_t connector,
                       const std::string& host, const std::string& id, const std::string& body)>
        requested;
    std::function<void(std::uint64_t number, std::uint32_t connector, bool ok, std::int64_t retry_after_ms,
                       std::size_t answer_bytes, const std::string& what)>
        responded;
    std::function<void()> was_short;
  };

  endpoints(std::uint64_t seed, std::size_t connectors, observer told)
      : seed_{seed}, moods_(connectors, mood::well), told_{std::move(told)} {}

  /// From the request after so many others on, a number of them that `draw` says does not leave the node: it is short of
  /// something, of all or of what one endpoint takes. They come back at once or a little later, and are no requests.
  void be_short(std::uint32_t after, std::uint64_t draw);
  void be_short_no_more() { short_left_ = 0; }

  void set_mood(std::uint32_t connector, mood value) { moods_[connector] = value; }
  void all_are_well() { moods_.assign(moods_.size(), mood::well); }

  void post(http_request request, completion done) override;

  /// Answers that are ready, but not given yet: the transport's threads have not come to it.
  [[nodiscard]] std::size_t ready() const noexcept { return ready_.size(); }
  void give(std::size_t index);

  /// The oldest of the silent ones get an answer, 200 or 500.
  void answer_silent(std::size_t count, std::uint64_t draw);
  /// The time that the node's steady clock shows; silent requests time out by it.
  void time_is(std::int64_t steady_ms);
  /// When the next one does; absent: none is open.
  [[nodiscard]] std::optional<std::int64_t> next_timeout_ms() const;

  /// The node goes: nobody waits for an answer, and what it still asks for does not leave it.
  void close();
  void open() { closed_ = false; }
  [[nodiscard]] std::map<std::uint32_t, std::uint64_t> open_requests() const;
  [[nodiscard]] std::uint64_t newest() const noexcept { return count_; }

private:
  struct open_request {
    std::uint64_t number = 0;
    std::uint32_t connector = 0;
    std::int64_t posted_ms = 0;
    std::int64_t times_out_ms = 0;
    completion done;
    http_result result;
  };

  [[nodiscard]] bool comes_back_short();
  [[nodiscard]] mood mood_of(const open_request& one, dice& chance) const;
  void finish(open_request one);

  const std::uint64_t seed_;
  std::vector<mood> moods_;
  observer told_;
  bool closed_ = true;
  std::uint64_t count_ = 0;
  std::uint32_t short_after_ = 0;
  std::uint64_t short_left_ = 0;
  std::uint64_t shortage_ = 0; ///< what its results follow from
  std::int64_t now_ms_ = 0;
  std::map<std::uint64_t, std::uint64_t> times_seen_; ///< by event
  std::vector<open_request> ready_;
  std::vector<open_request> silent_;
};

} // namespace vicket::sim
