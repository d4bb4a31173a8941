#include "bench/attacker/attack.hpp"

#include "tests/support/raw_peer.hpp"

#include <string_view>
#include <utility>

namespace vicket::bench {

namespace {

using testing::client_frame;
using testing::client_frame_head;
using testing::upgrade_request;
using kind = attack_step::kind;

constexpr unsigned text = 1;
constexpr unsigned binary = 2;
constexpr unsigned ping = 9;
constexpr std::uint32_t pings_at_once = 10;
constexpr std::uint32_t most_random_bytes = 3'000;
constexpr std::size_t first_operators_kind = 5; ///< index of what a sender may not send
constexpr std::size_t read_run_kind = 3;        ///< index of one with a bound of 16 KiB

std::string noise(attack_chance& chance) {
  std::string bytes(1 + chance() % most_random_bytes, '\0');
  for (auto& one : bytes)
    one = static_cast<char>(chance());
  return bytes;
}

const std::string& any_of(const std::vector<std::string>& messages, attack_chance& chance) {
  return messages[chance() % messages.size()];
}

attack_step message(unsigned opcode, std::string_view payload) {
  return {kind::say, client_frame(opcode, payload), 1};
}

std::string caf_upgrade() {
  return upgrade_request("vicket.caf.1", "Vicket-Roles: sender\r\n");
}

attack_script stopping(entrance by, std::string bytes) {
  attack_script made{by, {{kind::say, std::move(bytes)}, {kind::stay}}};
  made.goal = 1;
  return made;
}

attack_script dripping(entrance by, const std::string& bytes) {
  attack_script made{by, {{kind::say, bytes.substr(0, 1)}, {kind::drip, bytes.substr(1)}}};
  made.goal = 1;
  return made;
}

/// What comes after an upgrade.
attack_script upgraded(std::vector<attack_step> then, const std::string& request = caf_upgrade()) {
  attack_script made{entrance::senders_certificate, {{kind::say, request}, {kind::await_upgrade}}};
  made.goal = made.steps.size();
  for (auto& one : then)
    made.steps.push_back(std::move(one));
  return made;
}

// -- before the upgrade -------------------------------------------------------------------------------------------------

attack_script silent(const attack_material&, attack_chance&) {
  return {entrance::bare, {{kind::stay}}};
}

attack_script random_bytes(const attack_material&, attack_chance& chance) {
  return stopping(entrance::bare, noise(chance));
}

attack_script plain_http(const attack_material&, attack_chance&) {
  return stopping(entrance::bare, caf_upgrade());
}

attack_script half_hello(const attack_material& of, attack_chance&) {
  return stopping(entrance::bare, of.client_hello.substr(0, of.client_hello.size() / 2));
}

attack_script dripping_hello(const attack_material& of, attack_chance&) {
  return dripping(entrance::bare, of.client_hello);
}

/// The node signs its answer, and waits for one.
attack_script hello_alone(const attack_material& of, attack_chance&) {
  return stopping(entrance::bare, of.client_hello);
}

attack_script without_certificate(const attack_material&, attack_chance&) {
  return stopping(entrance::no_certificate, caf_upgrade());
}

attack_script foreign_certificate(const attack_material&, attack_chance&) {
  return stopping(entrance::foreign_certificate, caf_upgrade());
}

attack_script random_in_tls(const attack_material&, attack_chance& chance) {
  return stopping(entrance::senders_certificate, noise(chance));
}

attack_script http_in_tls(const attack_material&, attack_chance&) {
  return stopping(entrance::senders_certificate, "GET /v1/link HTTP/1.1\r\nHost: localhost\r\n\r\n");
}

attack_script browser(const attack_material&, attack_chance&) {
  return stopping(entrance::senders_certificate,
                  upgrade_request("vicket.json.1", "Origin: https://evil.example\r\n"));
}

attack_script half_upgrade(const attack_material&, attack_chance&) {
  return stopping(entrance::senders_certificate, caf_upgrade().substr(0, 60));
}

attack_script dripping_upgrade(const attack_material&, attack_chance&) {
  return dripping(entrance::senders_certificate, caf_upgrade());
}

// -- after it -----------------------------------------------------------------------------------------------------------

attack_script random_frames(const attack_material&, attack_chance& chance) {
  return upgraded({{kind::say, noise(chance), 1}, {kind::stay}});
}

attack_script half_message(const attack_material& of, attack_chance& chance) {
  const auto whole = client_frame(binary, any_of(of.valid_messages, chance));
  return upgraded({{kind::say, whole.substr(0, whole.size() / 2)}, {kind::stay}});
}

attack_script dripping_message(const attack_material& of, attack_chance& chance) {
  return upgraded({{kind::drip, client_frame(binary, any_of(of.valid_messages, chance))}});
}

attack_script prefixes(const attack_material& of, attack_chance& chance) {
  const auto& whole = any_of(of.valid_messages, chance);
  return upgraded({message(binary, whole.substr(0, chance() % whole.size())), {kind::stay}});
}

attack_script mutations(const attack_material& of, attack_chance& chance) {
  constexpr int most = 50; // the connection seldom lives through more than a few
  std::vector<attack_step> steps;
  for (int i = 0; i < most; ++i) {
    auto changed = of.valid_messages[chance() % first_operators_kind];
    for (auto changes = chance() % 4; changes > 0; --changes)
      changed[chance() % changed.size()] = static_cast<char>(chance());
    steps.push_back(message(binary, changed));
  }
  steps.push_back({kind::stay});
  return upgraded(std::move(steps));
}

attack_script mutated_json(const attack_material&, attack_chance& chance) {
  constexpr std::string_view whole =
      R"({"request":1,"send":[{"connector":"crm","event":"x","occurred_at":"2026-05-23T14:21:11.412Z","data":{}}]})";
  std::string changed{whole};
  for (auto changes = 1 + chance() % 4; changes > 0; --changes)
    changed[chance() % changed.size()] = static_cast<char>(' ' + chance() % 95);
  return upgraded({message(text, changed), message(text, std::string(2'000, '[')), {kind::stay}},
                  upgrade_request("vicket.json.1"));
}

attack_script wrong_role(const attack_material& of, attack_chance& chance) {
  const auto operators = of.valid_messages.size() - first_operators_kind;
  return upgraded(
      {message(binary, of.valid_messages[first_operators_kind + chance() % operators]), {kind::stay}});
}

attack_script oversized(const attack_material& of, attack_chance&) {
  constexpr std::uint64_t said_bytes = 30u << 20;
  return upgraded(
      {{kind::say,
        client_frame_head(binary, said_bytes) + of.valid_messages[read_run_kind] + std::string(80'000, 'x'),
        1},
       {kind::stay}});
}

attack_script fragments(const attack_material& of, attack_chance&) {
  constexpr int pieces = 1'000;
  auto frames = client_frame(binary, of.valid_messages[read_run_kind], false);
  for (int i = 0; i < pieces; ++i)
    frames += client_frame(0, "x", false);
  return upgraded({{kind::say, std::move(frames), 1}, {kind::stay}});
}

attack_script pings(const attack_material&, attack_chance&) {
  std::string frames;
  for (std::uint32_t i = 0; i < pings_at_once; ++i)
    frames += client_frame(ping, "0123456789");
  auto made = upgraded({{kind::say, std::move(frames), pings_at_once}});
  made.again = true;
  return made;
}

attack_script staying(const attack_material&, attack_chance&) {
  auto made = upgraded({{kind::stay}});
  made.for_good = true;
  return made;
}

} // namespace

const std::vector<attack>& all_attacks() {
  static const std::vector<attack> all{
      {"silent", silent},
      {"random-bytes", random_bytes},
      {"plain-http", plain_http},
      {"half-hello", half_hello},
      {"dripping-hello", dripping_hello},
      {"hello-alone", hello_alone},
      {"no-certificate", without_certificate},
      {"foreign-certificate", foreign_certificate},
      {"random-in-tls", random_in_tls},
      {"http-in-tls", http_in_tls},
      {"origin", browser},
      {"half-upgrade", half_upgrade},
      {"dripping-upgrade", dripping_upgrade},
      {"random-frames", random_frames},
      {"half-message", half_message},
      {"dripping-message", dripping_message},
      {"prefixes", prefixes},
      {"mutations", mutations},
      {"mutated-json", mutated_json},
      {"wrong-role", wrong_role},
      {"oversized", oversized},
      {"fragments", fragments},
      {"pings", pings},
  };
  return all;
}

const attack& crowding() {
  static const attack one{"crowd", staying};
  return one;
}

} // namespace vicket::bench
