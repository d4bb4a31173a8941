#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
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
};

/// A name server on 127.0.0.1 (UDP, RFC 1035) that says what it was told to. Names it was not told about do
/// not exist.
class dns_peer {
public:
  dns_peer();
  dns_peer(const dns_peer&) = delete;
  dns_peer& operator=(const dns_peer&) = delete;
  ~dns_peer();

  [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

  void set(const std::string& name, dns_answer what);

  /// How often the A records of `name` were asked for.
  [[nodiscard]] unsigned asked(const std::string& name) const;

private:
  void serve();
  [[nodiscard]] std::string reply(const std::string& query);

  int socket_ = -1;
  int stop_[2] = {-1, -1}; ///< a pipe: readable once the peer ends
  std::uint16_t port_ = 0;
  mutable std::mutex mutex_;
  std::map<std::string, dns_answer> answers_; ///< guarded by `mutex_`
  std::map<std::string, unsigned> asked_;     ///< guarded by `mutex_`
  std::thread thread_;
};

} // namespace vicket::testing
