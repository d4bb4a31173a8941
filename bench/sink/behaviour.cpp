#include "bench/sink/behaviour.hpp"

#include <charconv>
#include <optional>

namespace vicket::bench {

namespace {

/// Digits and nothing else.
template <class T>
std::optional<T> number_in(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  return value;
}

/// Absent: a name of none.
std::optional<behaviour> behaviour_named(std::string_view name) {
  constexpr std::string_view status = "status-";
  constexpr std::string_view delay = "delay-";
  using kind = behaviour::kind;
  if (name == "ok")
    return behaviour{kind::answer, 200};
  if (name == "hang")
    return behaviour{kind::hang, 0};
  if (name == "gate")
    return behaviour{kind::gate, 0};
  if (name.starts_with(status) && name.size() == status.size() + 3) {
    // Below 200 an answer is not the last one: the client would wait on.
    const auto code = number_in<std::uint16_t>(name.substr(status.size()));
    if (code && *code >= 200)
      return behaviour{kind::answer, *code};
  }
  if (name.starts_with(delay)) {
    const auto delay_ms = number_in<std::uint32_t>(name.substr(delay.size()));
    if (delay_ms && *delay_ms <= max_delay_ms)
      return behaviour{kind::answer, 200, *delay_ms};
  }
  return std::nullopt;
}

} // namespace

behaviour behaviour_of(std::string_view path) {
  if (!path.starts_with('/'))
    return {};
  path.remove_prefix(1);
  const auto slash = path.find('/');
  if (slash == std::string_view::npos)
    return {};
  auto found = behaviour_named(path.substr(0, slash));
  const auto connector = number_in<std::uint32_t>(path.substr(slash + 1));
  if (!found || !connector)
    return {};
  found->connector = *connector;
  return *found;
}

} // namespace vicket::bench
