// The part of the plan that changes connectors while events stream in, and its bursts.
#include "tests/crash/plan.hpp"

#include <charconv>

namespace vicket::crash {

namespace {

constexpr std::string_view path_prefix = "/hooks/";
constexpr std::uint64_t first_burst_serial = std::uint64_t{1} << 40;
constexpr std::uint64_t serials_per_burst = std::uint64_t{1} << 20;
static_assert(plan::burst_events < serials_per_burst);
constexpr std::uint64_t looked_up_of_bulk = 64; // one in so many
constexpr std::int64_t occurred_at_ms = 1'779'546'071'412;

std::uint64_t index_in_burst(std::uint64_t serial) {
  return (serial - first_burst_serial) % serials_per_burst;
}

} // namespace

std::uint64_t plan::burst_serial(std::uint64_t burst, std::uint64_t index) {
  return first_burst_serial + burst * serials_per_burst + index;
}

bool plan::of_burst(std::uint64_t serial) {
  return serial >= first_burst_serial;
}

bool plan::looked_up(std::uint64_t serial) {
  return !of_burst(serial) || index_in_burst(serial) < held_events || serial % looked_up_of_bulk == 0;
}

send_to_connector plan::burst_event(std::uint64_t serial) const {
  send_to_connector made;
  made.connector.value = index_in_burst(serial) < held_events ? held_connector : bulk_connector;
  made.event = "ticket.created";
  made.occurred_at = {occurred_at_ms};
  made.data_json = R"({"serial":)" + std::to_string(serial) + "}";
  made.run = "run-" + std::to_string(serial);
  made.id = id_of(serial);
  return made;
}

planned_change plan::change(std::uint64_t number) const {
  const auto chance = draw(change_stream, number);
  planned_change made;
  made.number = number;
  made.after_ms = static_cast<std::int64_t>(chance % 80);
  auto at = chance / 80 % total_change_weight_;
  for (const auto& one : connectors_) {
    if (at < one.change_weight) {
      made.connector = one.value.id;
      made.remove = one.may_be_deleted && draw(change_stream, number, 1) % 2 == 0;
      break;
    }
    at -= one.change_weight;
  }
  return made;
}

connector_version plan::version(const planned_connector& of, std::uint64_t number) const {
  connector_version made{of.value, 0};
  const auto chance = draw(version_stream, number);
  if (number != first_version && number < last_version) {
    // What may be deleted is always put with a secret: one that the node made up could not be checked.
    made.secret = static_cast<std::uint32_t>(chance % secrets);
    if (!of.may_be_deleted && chance / secrets % 2 == 0)
      made.secret.reset();
    made.value.name = "crash oracle, version " + std::to_string(number);
    // A burst disables what it holds, and enables it before: by the number, so that it can pick one.
    if (of.value.id.value == held_connector)
      made.value.enabled = number % 2 == 0;
    else if (of.may_be_off && of.value.id.value != bulk_connector)
      made.value.enabled = chance / 16 % 4 != 0;
    if (of.may_be_off && of.value.id.value != held_connector && of.value.id.value != bulk_connector &&
        chance / 64 % 4 == 0)
      made.value.events = {chance / 256 % 2 == 0 ? "*.created" : "ticket.status*"};
  }
  if (number == quiet_version)
    made.value.enabled = false;
  made.value.url = path_of(of.value.id.value, number);
  made.value.secret.value = made.secret ? secret_of(of.value.id.value, *made.secret) : std::string{};
  return made;
}

std::string plan::secret_of(std::string_view connector, std::uint32_t index) {
  static constexpr const char* keys[secrets] = {"whsec_dmlja2V0LWNyYXNoLW9yYWNsZS1rZXktMDEyMzQ1Njc4OQ==",
                                                "whsec_c2Vjb25kLWtleS1vZi10aGUtY3Jhc2gtb3JhY2xlLS0tMDEy",
                                                "whsec_dGhpcmQta2V5LW9mLXRoZS1jcmFzaC1vcmFjbGUtLS0wMTIz"};
  if ((connector.size() + index) % 2 == 0)
    return keys[index];
  return "plain-secret-" + std::to_string(index) + "-of-" + std::string{connector};
}

std::string path_of(std::string_view connector, std::uint64_t version) {
  auto path = std::string{path_prefix}.append(connector);
  return version == plan::first_version ? path : path + "/" + std::to_string(version);
}

std::optional<hook> hook_of(std::string_view path) {
  if (!path.starts_with(path_prefix))
    return std::nullopt;
  path.remove_prefix(path_prefix.size());
  const auto slash = path.find('/');
  hook made{std::string{path.substr(0, slash)}, plan::first_version};
  if (slash == std::string_view::npos)
    return made;
  const auto* const end = path.data() + path.size();
  const auto [read_to, error] = std::from_chars(path.data() + slash + 1, end, made.version);
  if (error != std::errc{} || read_to != end)
    return std::nullopt;
  return made;
}

bool shown_as_put(const connector& shown, const connector_version& put) {
  auto expected = put.value;
  expected.secret = shown.secret;
  if (!shown.url.ends_with(expected.url))
    return false;
  expected.url = shown.url;
  return shown == expected;
}

} // namespace vicket::crash
