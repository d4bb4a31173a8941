#pragma once

#include "tests/support/child_process.hpp"
#include "tests/support/process.hpp"

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace vicket::testing {

struct certificate;

/// A PostgreSQL of our own in a scratch folder, reached by a Unix socket there: nothing of the machine's is touched. Runs as
/// `nobody` where the test runs as root, which PostgreSQL refuses to. Ends with its object, or with the test.
class postgres_instance {
public:
  /// Made (`initdb`) and started. Throws std::runtime_error, with the end of its log, if that fails.
  postgres_instance();
  /// A standby of another one, which streams from it under this name; it is synchronous when the other one says so.
  postgres_instance(const postgres_instance& primary, const std::string& name);
  ~postgres_instance();
  postgres_instance(const postgres_instance&) = delete;
  postgres_instance& operator=(const postgres_instance&) = delete;

  [[nodiscard]] std::string conninfo() const;
  /// CPU time of all its processes up to now, those that have ended included.
  [[nodiscard]] double cpu_seconds() const;

  /// Also there, over TLS with this certificate, from now on; it is started anew. Whoever comes is let in.
  void listen_on(const std::string& address, const certificate& own);

  void start();
  void stop();        ///< in order: transactions that are under way are rolled back
  void kill();        ///< SIGKILL
  void pause() const; ///< SIGSTOP, all its processes: it stands still, and its connections stay

  /// Statements by a superuser, on a connection of their own; the first column of the last one's first row. Throws
  /// std::runtime_error with what the server says.
  std::string run(const std::string& statements) const;

private:
  void make(std::vector<std::string> command);
  [[nodiscard]] std::vector<std::string> as_its_user(std::vector<std::string> arguments) const;
  [[nodiscard]] std::filesystem::path data() const { return std::filesystem::path{folder_.path()} / "data"; }
  [[nodiscard]] std::filesystem::path log() const { return std::filesystem::path{folder_.path()} / "log"; }
  [[noreturn]] void complain(const std::string& what) const;

  temporary_folder folder_;
  std::string address_; ///< where it listens beside its socket; empty: nowhere
  std::unique_ptr<child_process> server_;
};

} // namespace vicket::testing
