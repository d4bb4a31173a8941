#include "bench/harness/wrk.hpp"

#include "bench/harness/nginx_sink.hpp"
#include "bench/harness/node_process.hpp"
#include "bench/harness/real_time.hpp"
#include "messages/ids.hpp"
#include "policy/request_head.hpp"
#include "tests/support/child_process.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace vicket::bench {

namespace {

constexpr std::int64_t patience_ms = 20'000;

/// An id that nginx does not hand on to the checking sink.
constexpr const char* id_text = "01890a5d-ac96-774b-bcce-b302099a8057";

/// `name: value` lines as a Lua table.
std::string lua_headers(const std::string& lines) {
  std::istringstream in{lines};
  std::string table;
  for (std::string line; std::getline(in, line);) {
    const auto colon = line.find(": ");
    if (colon == std::string::npos || line.starts_with("Content-Length"))
      continue; // wrk adds that one itself
    table += "  [\"" + line.substr(0, colon) + "\"] = [[" + line.substr(colon + 2, line.size() - colon - 3) +
             "]],\n";
  }
  return "{\n" + table + "}";
}

double number_after(const std::string& text, const std::string& name) {
  const auto at = text.find(name);
  return at == std::string::npos ? 0 : std::stod(text.substr(at + name.size()));
}

} // namespace

wrk::wrk(const workspace& where, const std::string& body)
    : program_{find_program("wrk").string()}, script_{where.file("wrk.lua").string()},
      log_{where.file("wrk.log").string()} {
  if (program_.empty())
    throw std::runtime_error("wrk is not installed: run `make setup` (Debian's package wrk)");
  const request_head head{{}, {}, "0.1.0"};
  const auto lines = head.header_lines(event_id::parse(id_text).value(), wall_now().value / 1'000, body,
                                       signing_key{where.secret()});
  std::ofstream{script_} << "wrk.method = \"POST\"\nwrk.body = [==[" << body
                         << "]==]\nwrk.headers = " << lua_headers(lines) << "\n";
}

wrk::result wrk::run(const std::string& url, unsigned connections, unsigned duration_s) const {
  testing::child_process running{{program_, "-t1", "-c" + std::to_string(connections),
                                  "-d" + std::to_string(duration_s) + "s", "-s", script_, url},
                                 log_,
                                 duration_s + 30};
  std::string text;
  while (const auto line = running.read_line("", patience_ms + std::int64_t{duration_s} * 1'000))
    text += *line + "\n";
  const auto status = running.wait(patience_ms);
  if (!status || !testing::exited_well(*status))
    throw std::runtime_error("wrk failed: " + text + end_of(log_));
  if (text.find("Socket errors") != std::string::npos || text.find("Non-2xx") != std::string::npos)
    throw std::runtime_error("wrk met errors: " + text);
  result made;
  made.requests_per_s = number_after(text, "Requests/sec:");
  std::istringstream lines{text};
  for (std::string line; std::getline(lines, line);)
    if (line.find("requests in") != std::string::npos)
      made.requests = static_cast<std::uint64_t>(std::stoull(line));
  if (made.requests_per_s <= 0)
    throw std::runtime_error("wrk said no rate: " + text);
  return made;
}

} // namespace vicket::bench
