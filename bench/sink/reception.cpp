#include "bench/sink/reception.hpp"

#include "bench/sink/behaviour.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace vicket::bench {

namespace {

/// 0 to 15; 16 for no hex digit.
unsigned hex_value(char c) {
  if (c >= '0' && c <= '9')
    return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f')
    return static_cast<unsigned>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F')
    return static_cast<unsigned>(c - 'A' + 10);
  return 16;
}

/// One bit differs; from no body at all, a whole character.
std::string with_a_changed_bit(std::string_view body) {
  std::string changed{body.empty() ? std::string_view{" "} : body};
  changed.back() = static_cast<char>(changed.back() ^ 1);
  return changed;
}

} // namespace

std::array<std::uint8_t, 16> uuid_bytes(std::string_view text) {
  constexpr std::size_t characters = 36;
  std::array<std::uint8_t, 16> bytes{};
  if (text.size() != characters)
    return bytes;
  std::size_t at = 0;
  for (auto& byte : bytes) {
    if (at == 8 || at == 13 || at == 18 || at == 23)
      if (text[at++] != '-')
        return {};
    const auto high = hex_value(text[at]);
    const auto low = hex_value(text[at + 1]);
    if (high > 15 || low > 15)
      return {};
    byte = static_cast<std::uint8_t>(high << 4 | low);
    at += 2;
  }
  return bytes;
}

reception::reception(settings how, arrival_log& log, std::function<std::int64_t()> unix_seconds)
    : how_{std::move(how)}, log_{log}, unix_seconds_{std::move(unix_seconds)} {
  if (how_.secret)
    check_.emplace(*how_.secret);
}

reply reception::receive(const request& value, bool always_verify, std::uint64_t arrived_ns) {
  ++received_;
  arrival record;
  const auto answer = reply_to(value.path, record.connector);
  record.id = uuid_bytes(value.webhook_id);
  record.arrived_ns = arrived_ns;
  record.status = answer.status;
  record.signature = verify(value, always_verify);
  if (has_fault(fault::kind::lose))
    return answer;
  log_.add(record);
  if (has_fault(fault::kind::record_twice))
    log_.add(record);
  return answer;
}

reply reception::reply_to(std::string_view path, std::uint32_t& connector) const {
  const auto found = behaviour_of(path);
  connector = found.connector;
  switch (found.what) {
  case behaviour::kind::hang:
    return {0, 0};
  case behaviour::kind::gate:
    return {static_cast<std::uint16_t>(log_.top().gate_open.load(std::memory_order_acquire) != 0 ? 200 : 503),
            0};
  case behaviour::kind::answer:
    break;
  }
  return {found.status, found.delay_ms};
}

bool reception::has_fault(fault::kind kind) const {
  return std::find(how_.faults.begin(), how_.faults.end(), fault{kind, received_}) != how_.faults.end();
}

std::uint8_t reception::verify(const request& value, bool always) const {
  if (!check_)
    return arrival::not_checked;
  const bool forge = has_fault(fault::kind::forge);
  // The first is among them, so that a short run verifies something, too.
  const bool sampled = how_.verify_every != 0 && (received_ - 1) % how_.verify_every == 0;
  if (!always && !sampled && !forge)
    return arrival::not_checked;
  const bool genuine = forge ? check_->genuine(value, with_a_changed_bit(value.body), unix_seconds_())
                             : check_->genuine(value, value.body, unix_seconds_());
  return genuine ? arrival::genuine : arrival::forged;
}

} // namespace vicket::bench
