#pragma once

#include "transport/http_transport.hpp"

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace vicket::testing {

/// Answers requests as a test says, per host, on the caller's thread, and remembers them all. A host without a
/// script answers 200; one that is told to hang answers when the test says so, or never.
class scripted_transport final : public http_transport {
public:
  /// Absent: no answer yet.
  using script = std::function<std::optional<http_result>(const http_request&)>;

  struct seen_request {
    std::string host;
    std::string header_lines;
    std::string body;
    std::int64_t timeout_ms = 0;
  };

  static http_result status(std::uint16_t code, std::string body = "", std::string retry_after = "") {
    http_result result;
    result.status = code;
    result.body_bytes = body.size();
    result.body = std::move(body);
    result.retry_after = std::move(retry_after);
    result.duration_us = 1'500;
    return result;
  }

  static http_result failure(outcome what, std::string why) {
    http_result result;
    result.failure = what;
    result.error = std::move(why);
    return result;
  }

  /// The node is short of `what`, nothing was sent.
  static http_result shortage(std::string what, bool of_destination = false) {
    http_result result;
    result.shortage = own_shortage{std::move(what), of_destination};
    return result;
  }

  void on(const std::string& host, script answer) { scripts_[host] = std::move(answer); }
  void hang(const std::string& host) {
    on(host, [](const http_request&) { return std::nullopt; });
  }

  void post(http_request request, completion done) override {
    seen_.push_back({request.endpoint->host, request.header_lines.value, *request.body, request.timeout_ms});
    auto found = scripts_.find(request.endpoint->host);
    auto answer = found == scripts_.end() ? std::optional{status(200)} : found->second(request);
    if (answer)
      done(*std::move(answer));
    else
      hanging_.emplace_back(request.endpoint->host, std::move(done));
  }

  /// Every request to a host, in the order they came.
  [[nodiscard]] std::vector<seen_request> requests(const std::string& host) const {
    std::vector<seen_request> chosen;
    for (const auto& request : seen_)
      if (request.host == host)
        chosen.push_back(request);
    return chosen;
  }
  [[nodiscard]] std::size_t count(const std::string& host) const { return requests(host).size(); }
  [[nodiscard]] std::size_t hanging() const { return hanging_.size(); }

  /// Answers all that hang.
  void release(const http_result& result) {
    for (auto& [host, done] : std::exchange(hanging_, {}))
      done(result);
  }

private:
  std::map<std::string, script> scripts_;
  std::vector<seen_request> seen_;
  std::vector<std::pair<std::string, completion>> hanging_;
};

} // namespace vicket::testing
