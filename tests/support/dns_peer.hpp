#pragma once

#include <netinet/in.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace vicket::testing {

/// What a name server says about a name.
struct dns_answer {
  enum class kind : std::uint8_t { addresses, no_such_name, server_failure, refused, silence };

  kind what = kind::addresses;
  std::vector<std::string> v4 = {}; ///< may be empty: no record of that type
  std::vector<std::string> v6 = {};
  std::uint32_t ttl_s = 0;
  /// What it says about one family is another thing.
  std::optional<kind> v4_what = std::nullopt;
  std::optional<kind> v6_what = std::nullopt;
  std::chrono::milliseconds v4_after{0}; ///< how late it says it
  std::chrono::milliseconds v6_after{0};
};

/// A name server on 127.0.0.1 (RFC 1035; by TCP what is too long for UDP) that says what it was told to. Names it was not told about do
/// not exist.
class dns_peer {
public:
  dns_peer();
  dns_peer(const dns_peer&) = delete;
  dns_peer& operator=(const dns_peer&) = delete;
  ~dns_peer();

  [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

  void set(const std::string& name, dns_answer what);

  /// It hears, and says nothing to anybody.
  void fall_silent() { silent_ = true; }

  /// How often the A records of `name` were asked for.
  [[nodiscard]] unsigned asked(const std::string& name) const;

private:
  [[nodiscard]] bool open_sockets();
  void serve();
  struct dns_reply {
    std::string bytes; ///< empty: silence
    std::chrono::milliseconds after{0};
  };
  using time_point = std::chrono::steady_clock::time_point;

  [[nodiscard]] dns_reply reply(const std::string& query);
  void send_due();

  /// Replies that are not due yet.
  std::multimap<time_point, std::pair<sockaddr_in, std::string>> later_;
  std::atomic<bool> silent_{false};

  void serve_stream();

  int socket_ = -1;
  int listener_ = -1;
  int stop_[2] = {-1, -1}; ///< a pipe: readable once the peer ends
  std::uint16_t port_ = 0;
  mutable std::mutex mutex_;
  std::map<std::string, dns_answer> answers_; ///< guarded by `mutex_`
  std::map<std::string, unsigned> asked_;     ///< guarded by `mutex_`
  std::thread thread_;
};

} // namespace vicket::testing
