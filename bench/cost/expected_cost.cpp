#include "bench/cost/expected_cost.hpp"

#include <rapidjson/document.h>
#include <rapidjson/error/en.h>
#include <sys/utsname.h>

#include <cmath>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace vicket::bench {

namespace {

constexpr double max_margin = 0.1; ///< one that lets more through keeps nothing

/// A value of /etc/os-release (os-release(5)), without its quotes.
std::string release_field(const std::string& name) {
  std::ifstream file{"/etc/os-release"};
  for (std::string line; std::getline(file, line);)
    if (line.starts_with(name + "=")) {
      line.erase(0, name.size() + 1);
      std::erase(line, '"');
      return line;
    }
  return "unknown";
}

std::string compiler_name() {
#if defined(__clang__)
  return "clang" + std::to_string(__clang_major__);
#elif defined(__GNUC__)
  return "gcc" + std::to_string(__GNUC__);
#else
  return "unknown";
#endif
}

std::string architecture() {
  ::utsname names{};
  return ::uname(&names) == 0 ? names.machine : "unknown";
}

double number_of(const rapidjson::Value& entry, const char* name, const std::string& where) {
  const auto found = entry.FindMember(name);
  if (found == entry.MemberEnd() || !found->value.IsNumber() || !(found->value.GetDouble() > 0))
    throw std::runtime_error{where + ": \"" + name + "\" must be a number above 0"};
  return found->value.GetDouble();
}

std::string rounded(double value) {
  return std::to_string(std::llround(value));
}

std::string percent(double part) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f %%", 100 * part);
  return text;
}

} // namespace

std::string platform_name() {
  return release_field("ID") + release_field("VERSION_ID") + "-" + compiler_name() + "-" + architecture();
}

std::optional<expected_cost> read_expected_cost(const std::filesystem::path& file,
                                                const std::string& platform) {
  std::ifstream stream{file, std::ios::binary};
  const std::string text{std::istreambuf_iterator<char>{stream}, {}};
  rapidjson::Document document;
  if (document.Parse(text.c_str(), text.size()).HasParseError())
    throw std::runtime_error{file.string() + " at byte " + std::to_string(document.GetErrorOffset()) + ": " +
                             rapidjson::GetParseError_En(document.GetParseError())};
  if (!document.IsObject())
    throw std::runtime_error{file.string() + ": must be an object with an entry per platform"};
  const auto found = document.FindMember(platform.c_str());
  if (found == document.MemberEnd())
    return std::nullopt;
  const auto where = file.string() + ", " + platform;
  if (!found->value.IsObject())
    throw std::runtime_error{where + ": must be an object with \"per_delivery\" and \"margin\""};
  const expected_cost expected{number_of(found->value, "per_delivery", where),
                               number_of(found->value, "margin", where)};
  if (expected.margin > max_margin)
    throw std::runtime_error{where + ": \"margin\" must be at most " + std::to_string(max_margin)};
  return expected;
}

std::optional<std::string> cost_complaint(double per_delivery, const expected_cost& expected) {
  const auto off = per_delivery / expected.per_delivery - 1;
  if (std::abs(off) <= expected.margin)
    return std::nullopt;
  const auto found = rounded(per_delivery) + " instructions per delivery, " + percent(std::abs(off)) +
                     (off > 0 ? " more" : " less") + " than the " + rounded(expected.per_delivery) +
                     " that are stored (margin " + percent(expected.margin) + ").\n";
  if (off < 0)
    return found + "The stored figure is out of date: lower it, so that a later loss shows.\n";
  return found +
         "To find the cause, count this commit and one before it, and compare function by function:\n"
         "  valgrind --tool=callgrind --callgrind-out-file=now.cg build/vicket-bench-load --deliveries 3200\n"
         "  callgrind_annotate --inclusive=yes --auto=no now.cg   (also with --inclusive=no)\n"
         "If it is meant, store the new figure, and say in the commit what is had for it.\n";
}

} // namespace vicket::bench
