#pragma once

#include "apps/values.hpp"
#include "link/roles.hpp"
#include "net/tls_files.hpp"
#include "policy/address_guard.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace vicket {

/// What makes a node one of a cluster.
struct cluster_config {
  std::string name; ///< empty: a node alone
  std::string node;
  std::string zone; ///< what fails together; empty: the node is a zone of its own
  std::string log;  ///< a PostgreSQL database, as libpq knows it
  std::string schema = "vicket";
  std::optional<place> listen;    ///< for the other nodes
  std::optional<place> advertise; ///< where they reach it; absent: `listen`
  std::uint32_t copies = 0;       ///< of each partition; 0: as in `cluster_part`
  std::int64_t log_keep_ms = 0;   ///< see `cluster_part::setup::log_keep`; 0: as there
  std::uint64_t log_keep_bytes = 0;
  std::uint64_t copy_rate = 0; ///< bytes a second; see `node_options::copy_bytes_per_second`
};

/// What `vicketd` was asked to be. Defaults are the documented ones.
struct node_config {
  std::filesystem::path data_dir;
  std::filesystem::path secret_key_file; ///< empty: `secret.key` in `data_dir`
  std::vector<place> listen;             ///< one at least
  std::optional<tls_files> tls;
  std::vector<role_rule> roles;
  std::vector<ip_range> allow_cidrs;
  std::vector<ip_range> deny_cidrs;
  bool allow_http = false;
  std::vector<std::string> ca_files;
  std::vector<std::string> dns_servers;
  std::int64_t retention_ms = 7LL * 86'400'000;
  std::uint64_t history_bytes_per_connector = std::uint64_t{1} << 30;
  std::size_t max_envelope_bytes = 256 * 1024;
  std::size_t max_in_flight = 10'000;
  bool max_in_flight_asked_for = false; ///< else it may be less, where fewer files may be open than it needs
  std::size_t window_memory_bytes = 64u << 20;
  std::uint32_t partitions = 0;      ///< 0: one for two cores, for a new data folder
  std::size_t threads = 0;           ///< of the actors' scheduler; 0: one for two cores
  unsigned io_threads = 1;           ///< of the HTTPS transport
  std::filesystem::path backup_root; ///< absolute; empty: this node makes no backups
  std::string log_level = "info";
  cluster_config cluster;

  // What is done instead of running a node; empty: nothing.
  std::filesystem::path rotate_to;    ///< the new key's file
  std::filesystem::path export_to;    ///< the folder for a copy of the format without a key
  std::filesystem::path restore_from; ///< a backup, of which `data_dir` is to be made
  std::uint32_t split_into = 0;       ///< so many partitions; 0: nothing
};

/// The program ends here: what goes to which stream, and the exit code. Help is code 0 on standard output,
/// wrong usage is one line and code 2 on standard error.
struct early_exit {
  int code = 0;
  std::string text;
};

/// Looks up an environment variable; null: not set.
using environment_lookup = std::function<const char*(const char*)>;

/// Flags over environment (`VICKET_DATA_DIR` for `--data-dir`; comma-separated where a flag may be repeated)
/// over the config file (`data-dir = "…"`; arrays where a flag may be repeated) over defaults.
[[nodiscard]] std::variant<node_config, early_exit> parse_node_config(int argc, const char* const* argv,
                                                                      const environment_lookup& environment);

} // namespace vicket
