#pragma once

#include "apps/node_link.hpp"
#include "apps/values.hpp"
#include "net/tls_files.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace vicket {

class terminal;

/// Exit codes of `vicket`.
enum exit_code : int {
  exit_done = 0,
  exit_refused = 1, ///< refused, or not found
  exit_usage = 2,
  exit_unreachable = 3,
};

/// What all commands share.
struct client_options {
  place node{{"127.0.0.1", 4242}, {}};
  std::optional<tls_files> tls;
  bool json = false;
};

struct delete_options {
  bool force = false;
  std::optional<std::chrono::milliseconds> timeout; ///< absent: with `force` as long as it takes
};

struct outcomes_options {
  std::string from;
  bool follow = false;
};

struct listen_options {
  static constexpr unsigned max_delay_ms = 600'000;

  std::uint16_t port = 0;
  std::string secret;
  std::string tls_cert; ///< empty: plain HTTP
  std::string tls_key;
  int status = 200;
  std::uint64_t fail_first = 0; ///< the first requests that get 500, whatever they carry
  unsigned delay_ms = 0;
  std::uint64_t count = 0; ///< stop after this many; 0: never
};

struct cluster_options {
  std::string name;
  std::string log; ///< a PostgreSQL database, as libpq knows it
  std::string schema = "vicket";
  std::uint32_t partitions = default_partitions;
  static constexpr std::uint32_t default_partitions = 24;
  std::string secret_key_file;
  std::uint32_t adopted_partitions = 0; ///< with `adopt`; 0: as many as the folder has
  std::string adopt;                    ///< a single node's data folder to begin with; empty: nothing
  std::vector<std::string> restore;     ///< backups of an old cluster's nodes to begin with; empty: nothing
  std::string from_log;                 ///< with `restore`: the old cluster's database; empty: as `log`
  std::string from_schema;              ///< and its schema; empty, and no `from_log`: it is lost
  std::string scratch;                  ///< with `restore`
  std::string node_role;                ///< of the database; empty: that of `log`
  bool watch = false;
  std::string node;   ///< whom `drain`, `undrain` and `remove` are about
  bool wait = false;  ///< until it owns and keeps nothing
  bool force = false; ///< whatever is left without a copy
};

// Each runs one command to its end and answers the exit code. `file` is a path or `-` for standard input.
int run_connector_put(const client_options& options, const std::string& file);
int run_connector_get(const client_options& options, const std::string& id);
int run_connector_delete(const client_options& options, const std::string& id, const delete_options& how);
int run_connector_list(const client_options& options);
int run_rule_put(const client_options& options, const std::string& file);
int run_rule_get(const client_options& options, const std::string& id);
int run_rule_delete(const client_options& options, const std::string& id);
int run_rule_list(const client_options& options);
int run_rule_test(const client_options& options, const std::string& file);
int run_send(const client_options& options, const std::string& file);
int run_run(const client_options& options, const std::string& run);
int run_event(const client_options& options, const std::string& id);
int run_outcomes(const client_options& options, const outcomes_options& what);
int run_status(const client_options& options);
int run_backup(const client_options& options, const std::string& folder);
int run_cluster_init(const client_options& options, const cluster_options& what);
int run_cluster_status(const client_options& options, const cluster_options& what);
int run_cluster_drain(const client_options& options, const cluster_options& what, bool drained);
int run_cluster_remove(const client_options& options, const cluster_options& what);
int run_listen(const client_options& options, const listen_options& what);

// Said on standard error; with --json also as {"error":…,"detail":…} on standard output.
int report(const client_options& options, const refusal& reason);
int report(const client_options& options, const unreachable& reason);
int report_usage(const std::string& what);
/// That a partition takes nothing, why, and where it says what to do.
std::string halted_line(const terminal& out, const std::string& partition, const std::string& why);

/// A line on standard error, after the name of the program.
void complain(const std::string& line);

/// A file or standard input as a whole; nothing: it can't be read, or is larger than `max_bytes`.
std::optional<std::string> read_whole(const std::string& file, std::size_t max_bytes);

/// Connects, asks one thing, hands the answer to `show`; else reports.
template <class Response, class Request, class Show>
int ask_node(const client_options& options, Request request, Show show,
             std::chrono::milliseconds timeout = node_link::answer_timeout) {
  client here{options.node, options.tls};
  auto connected = here.connect();
  if (const auto* why = std::get_if<unreachable>(&connected))
    return report(options, *why);
  auto response = std::get<0>(connected)->template ask_and_wait<Response>(std::move(request), timeout);
  if (const auto* why = std::get_if<unreachable>(&response))
    return report(options, unreachable{"no answer from " + options.node.to_string() + ": " + why->why});
  if (const auto* why = std::get_if<refusal>(&response))
    return report(options, *why);
  return show(std::get<Response>(response));
}

} // namespace vicket
