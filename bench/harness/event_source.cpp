#include "bench/harness/event_source.hpp"

#include "bench/harness/real_time.hpp"
#include "policy/envelope.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <random>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace vicket::bench {

namespace {

constexpr std::size_t most_text_variants = 256;
constexpr std::size_t text_bytes = 4u << 20; ///< of all variants, if two of them are less
constexpr std::uint32_t ids_per_ms = 64;
constexpr std::uint64_t mask48 = (std::uint64_t{1} << 48) - 1;
constexpr std::uint64_t odd48 = 0x9e3779b97f4bULL; // any odd number permutes the 48-bit numbers
constexpr std::uint64_t odd48_inverse = [] {       // by Newton's iteration
  std::uint64_t x = odd48;
  for (int i = 0; i < 6; ++i)
    x *= 2 - odd48 * x;
  return x & mask48;
}();

/// Ids of one run are not those of another: a node that runs on would take them for duplicates.
std::int64_t first_id_ms() {
  static const auto started = wall_now().value;
  return started;
}

std::uint64_t mixed(std::uint64_t x) { // the finaliser of splitmix64
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

std::uint64_t scattered48(std::uint64_t x) {
  x = (x * odd48) & mask48;
  x ^= x >> 24;
  return (x * odd48) & mask48;
}

std::uint64_t gathered48(std::uint64_t x) {
  x = (x * odd48_inverse) & mask48;
  x ^= x >> 24;
  return (x * odd48_inverse) & mask48;
}

void put(event_id& id, std::size_t at, std::size_t bytes, std::uint64_t value) {
  for (std::size_t i = bytes; i-- > 0; value >>= 8)
    id.bytes[at + i] = static_cast<std::uint8_t>(value);
}

std::uint64_t get(const event_id& id, std::size_t at, std::size_t bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes; ++i)
    value = value << 8 | id.bytes[at + i];
  return value;
}

/// Words, so that they compress about as text does.
std::string noise(std::mt19937_64& chance, std::size_t bytes) {
  static constexpr std::string_view letters = "etaoinshrdlucmfw";
  std::string text;
  while (text.size() < bytes) {
    const auto length = 2 + chance() % 8;
    for (std::size_t i = 0; i < length; ++i)
      text += letters[chance() % letters.size()];
    text += ' ';
  }
  text.resize(bytes, 'x');
  return text;
}

} // namespace

event_source::event_source(std::uint16_t tag, std::vector<connector_id> connectors, id_kind kind,
                           std::int64_t age_ms, std::size_t envelope_bytes, std::uint32_t names)
    : tag_{tag}, connectors_{std::move(connectors)}, kind_{kind}, first_ms_{first_id_ms() - age_ms},
      envelope_bytes_{envelope_bytes}, names_{names} {
  if (connectors_.empty() || tag_ > 0xfff)
    throw std::logic_error("an event source needs connectors and a tag of 12 bits");
  std::mt19937_64 chance{20260523};
  texts_.emplace_back(); // first empty, to see how long the rest is
  const auto envelope = compose_envelope(event(0), id(0), body_bytes);
  const auto rest = std::get<std::string>(envelope).size();
  if (envelope_bytes_ < rest)
    throw std::logic_error("an event of " + std::to_string(envelope_bytes_) +
                           " bytes: " + std::to_string(rest) + " is the least");
  texts_.clear();
  const auto variants = std::clamp<std::size_t>(text_bytes / envelope_bytes_, 2, most_text_variants);
  for (std::size_t i = 0; i < variants; ++i)
    texts_.push_back(noise(chance, envelope_bytes_ - rest));
}

std::string event_source::event_name(std::uint32_t number) {
  std::array<char, 32> name{};
  std::snprintf(name.data(), name.size(), "ticket-%05u.status_changed", number);
  return name.data();
}

send_to_connector event_source::event(std::uint32_t index) const {
  send_to_connector made;
  made.connector = connector_of(index);
  made.event = names_ == 0 ? "ticket.status_changed" : event_name(index % names_);
  made.occurred_at = {first_ms_ + index};
  std::array<char, 16> ticket{};
  std::snprintf(ticket.data(), ticket.size(), "T-%010u", index);
  made.data_json = std::string{R"({"ticket":{"id":")"} + ticket.data() +
                   R"(","status":{"category":"resolved"},"subject":")" + texts_[index % texts_.size()] +
                   R"("}})";
  made.message = "Ticket resolved by the on-call agent.";
  made.workflow = "wf-7";
  made.run = std::string{"run-"} + ticket.data();
  made.id = id(index);
  return made;
}

event_id event_source::id(std::uint32_t index) const {
  event_id made;
  if (kind_ == id_kind::time_ordered) {
    put(made, 0, 6, static_cast<std::uint64_t>(first_ms_ + index / ids_per_ms));
    put(made, 6, 2, 0x7000u | tag_);
    put(made, 8, 4, (mixed(index) & 0x3fffffffu) | 0x80000000u);
    put(made, 12, 4, index);
  } else {
    const auto random =
        mixed(static_cast<std::uint64_t>(first_ms_) << 20 ^ (std::uint64_t{tag_} << 32 | index));
    put(made, 0, 8, random);
    put(made, 8, 2, mixed(random));
    made.bytes[6] = static_cast<std::uint8_t>((made.bytes[6] & 0x0fu) | 0x40u);
    made.bytes[8] = static_cast<std::uint8_t>((made.bytes[8] & 0x3fu) | 0x80u);
    put(made, 10, 6, scattered48(std::uint64_t{tag_} << 32 | index));
  }
  return made;
}

std::optional<std::uint32_t> event_source::index_of(const event_id& given) const {
  const auto index = kind_ == id_kind::time_ordered
                         ? static_cast<std::uint32_t>(get(given, 12, 4))
                         : static_cast<std::uint32_t>(gathered48(get(given, 10, 6)));
  if (id(index) != given)
    return std::nullopt;
  return index;
}

} // namespace vicket::bench
