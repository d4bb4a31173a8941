#include "apps/commands.hpp"

#include "apps/terminal.hpp"
#include "policy/json_text.hpp"

#include <fstream>
#include <iostream>

namespace vicket {

namespace {

int say(const client_options& options, const refusal& reason, const std::string& line, int code) {
  if (options.json) {
    const auto out = terminal::standard();
    out.line(send_result_to_json(send_result{reason}));
    out.flush();
  }
  complain(line);
  return code;
}

} // namespace

void complain(const std::string& line) {
  std::cerr << "vicket: " << printable(line, 2'000) << std::endl;
}

int report(const client_options& options, const refusal& reason) {
  return say(options, reason, to_string(reason.code) + ": " + reason.detail, exit_refused);
}

int report(const client_options& options, const unreachable& reason) {
  return say(options, refusal{errc::unavailable, reason.why}, reason.why, exit_unreachable);
}

std::string halted_line(const terminal& out, const std::string& partition, const std::string& why) {
  return out.paint("partition " + partition + " is halted: " + printable(why), colour::red) +
         "; no node takes or delivers anything of it. What to do: \"When a partition is halted\" in the "
         "README";
}

int report_usage(const std::string& what) {
  complain(what);
  return exit_usage;
}

std::optional<std::string> read_whole(const std::string& file, std::size_t max_bytes) {
  std::ifstream opened;
  if (file != "-") {
    opened.open(file, std::ios::binary);
    if (!opened)
      return std::nullopt;
  }
  std::istream& in = file == "-" ? std::cin : opened;
  std::string text(max_bytes + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (in.bad() || text.size() > max_bytes)
    return std::nullopt;
  return text;
}

} // namespace vicket
