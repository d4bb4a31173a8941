#include "bench/report/json.hpp"

#include "bench/report/verdict.hpp"
#include "policy/utf8.hpp"

#include <rapidjson/prettywriter.h>
#include <rapidjson/stringbuffer.h>

#include <array>
#include <cmath>
#include <cstddef>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace vicket::bench {

namespace {

using pretty_writer = rapidjson::PrettyWriter<rapidjson::StringBuffer>;

void put(pretty_writer& out, std::string_view text) {
  const auto valid = with_replaced_invalid_utf8(text);
  out.String(valid.data(), static_cast<rapidjson::SizeType>(valid.size()));
}

void put(pretty_writer& out, double number) {
  if (std::isfinite(number))
    out.Double(number);
  else
    out.Null();
}

void put(pretty_writer& out, std::size_t count) {
  out.Uint64(count);
}

void put_flag(pretty_writer& out, std::string_view key, bool flag) {
  out.Key(key.data(), static_cast<rapidjson::SizeType>(key.size()));
  out.Bool(flag);
}

// Declared here since the templates below find them by no other way: they are in an unnamed namespace.
void put(pretty_writer& out, const axis& value);
void put(pretty_writer& out, const figure& value);
void put(pretty_writer& out, const goal_count& goals);
void put(pretty_writer& out, const plot& value);
void put(pretty_writer& out, const plot_line& line);
void put(pretty_writer& out, const scenario_result& scenario);

/// Numbers that belong together stand on one line, else plots are nothing but line ends.
void put_on_one_line(pretty_writer& out, std::span<const double> numbers) {
  out.StartArray();
  out.SetFormatOptions(rapidjson::kFormatSingleLineArray);
  for (const double number : numbers)
    put(out, number);
  out.EndArray();
  out.SetFormatOptions(rapidjson::kFormatDefault);
}

void put(pretty_writer& out, const std::pair<double, double>& point) {
  put_on_one_line(out, std::array{point.first, point.second});
}

void put(pretty_writer& out, const std::vector<double>& numbers) {
  put_on_one_line(out, numbers);
}

template <class T>
void put(pretty_writer& out, const std::vector<T>& values) {
  out.StartArray();
  for (const auto& value : values)
    put(out, value);
  out.EndArray();
}

template <class T>
void put(pretty_writer& out, std::string_view key, const T& value) {
  out.Key(key.data(), static_cast<rapidjson::SizeType>(key.size()));
  put(out, value);
}

std::string_view name_of(verdict value) {
  switch (value) {
  case verdict::no_goal:
    return "no_goal";
  case verdict::aim_met:
    return "aim_met";
  case verdict::must_met:
    return "must_met";
  case verdict::missed:
    return "missed";
  }
  return "";
}

std::string_view name_of(axis_scale value) {
  switch (value) {
  case axis_scale::linear:
    return "linear";
  case axis_scale::logarithmic:
    return "logarithmic";
  case axis_scale::nines:
    return "nines";
  }
  return "";
}

void put_goal(pretty_writer& out, const figure& value) {
  out.Key("goal");
  if (!value.wanted) {
    out.Null();
    return;
  }
  out.StartObject();
  put(out, "must", value.wanted->must);
  put(out, "aim", value.wanted->aim);
  put_flag(out, "more_is_better", value.wanted->more_is_better);
  put(out, "verdict", name_of(verdict_of(value)));
  out.EndObject();
}

void put(pretty_writer& out, const figure& value) {
  out.StartObject();
  put(out, "key", value.key);
  put(out, "title", value.title);
  put(out, "value", value.value);
  put(out, "unit", value.unit);
  put_goal(out, value);
  put(out, "rounds", value.rounds);
  out.EndObject();
}

void put(pretty_writer& out, const axis& value) {
  out.StartObject();
  put(out, "title", value.title);
  put(out, "scale", name_of(value.scale));
  out.EndObject();
}

void put(pretty_writer& out, const plot_line& line) {
  out.StartObject();
  put(out, "title", line.title);
  put(out, "points", line.points);
  out.EndObject();
}

void put(pretty_writer& out, const plot& value) {
  out.StartObject();
  put(out, "title", value.title);
  put(out, "x", value.x);
  put(out, "y", value.y);
  put(out, "lines", value.lines);
  out.EndObject();
}

void put(pretty_writer& out, const scenario_result& scenario) {
  out.StartObject();
  put(out, "name", scenario.name);
  put(out, "title", scenario.title);
  put(out, "took_s", scenario.took_s);
  put(out, "figures", scenario.figures);
  put(out, "plots", scenario.plots);
  put(out, "notes", scenario.notes);
  put(out, "violations", scenario.violations);
  out.EndObject();
}

void put(pretty_writer& out, const goal_count& goals) {
  out.StartObject();
  put(out, "all", goals.all);
  put(out, "met", goals.met);
  put(out, "aim_met", goals.aim_met);
  out.EndObject();
}

} // namespace

std::string json_of(const run_result& run) {
  rapidjson::StringBuffer buffer;
  pretty_writer out{buffer};
  out.SetIndent(' ', 2);
  out.StartObject();
  put(out, "started_at", run.started_at);
  put(out, "command", run.command);
  put(out, "version", run.version);
  put(out, "commit", run.commit);
  put(out, "machine", run.machine);
  put(out, "tools", run.tools);
  put(out, "took_s", run.took_s);
  put_flag(out, "correct", correct(run));
  put_flag(out, "fast_enough", fast_enough(run));
  put(out, "goals", count_goals(run));
  put(out, "scenarios", run.scenarios);
  out.EndObject();
  return std::string{buffer.GetString(), buffer.GetSize()} + '\n';
}

} // namespace vicket::bench
