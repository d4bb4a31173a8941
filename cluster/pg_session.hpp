#pragma once

#include "net/host_lookup.hpp"
#include "net/io_thread.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vicket::internal {

/// What a statement came to.
class pg_answer {
public:
  enum class outcome : std::uint8_t {
    done,     ///< the server did it and warned of nothing
    warned,   ///< it said that it did, with a warning: a commit may be on this server alone
    refused,  ///< an error: nothing of it is there
    unknown,  ///< the connection went, or the server ended it: it may have been done, or be done yet
    not_sent, ///< there was no connection to send it on
  };

  outcome came_to = outcome::unknown;
  std::string sqlstate;      ///< of an error
  std::string detail;        ///< one sentence: what the server or the connection said
  std::uint64_t changed = 0; ///< rows
  /// What was asked for, in PostgreSQL's binary form.
  std::vector<std::vector<std::optional<std::string>>> rows;

  [[nodiscard]] bool answered() const noexcept {
    return came_to == outcome::done || came_to == outcome::warned;
  }
};

/// PostgreSQL's binary form of what we store.
[[nodiscard]] std::string pg_int2(std::int16_t value);
[[nodiscard]] std::string pg_int4(std::int32_t value);
[[nodiscard]] std::string pg_int8(std::int64_t value);
[[nodiscard]] std::string pg_int4_array(const std::vector<std::int32_t>& values);
[[nodiscard]] std::string pg_int8_array(const std::vector<std::int64_t>& values);
/// Of 2, 4 or 8 bytes.
[[nodiscard]] std::int64_t pg_integer(std::string_view bytes);

/// A statement that a session prepares when it is there, and its parameters' types are derived by the server.
struct pg_statement {
  std::string name;
  std::string text;
};

/// One of the servers that a conninfo names; what is empty is as the conninfo says.
struct pg_place {
  std::string host;
  std::string hostaddr;
  std::string port;
};
/// All of them, in their order; one that is empty where it names none. libpq itself tries the next one only when the
/// one before refuses, and not when it does not answer.
[[nodiscard]] std::vector<pg_place> pg_places(const std::string& conninfo);

/// One connection to PostgreSQL, by libpq, which is asynchronous here. The addresses of a host's name are looked up before, since
/// libpq would block the thread for it, and tried one after the other; the server's certificate still has to be for the name.
/// (A host that only libpq knows, from a service file or PGHOST, is libpq's to look up.) Statements are done one after the other, in the
/// order in which they were given; whoever gives them has a bounded number under way. When it ends, all that were given are told so; nothing is tried again.
///
/// Of the I/O thread, all of it; a session that is let go tells nobody anything more.
class pg_session {
public:
  struct setup {
    const io_thread* io = nullptr; ///< outlives it
    /// Without a password: that is libpq's to find (PGPASSFILE, a service file).
    std::string conninfo;
    std::vector<pg_statement> statements;
    std::int64_t connect_ms = 3'000; ///< for the connection and the preparing; of one address
    pg_place at = {};
    host_lookup* names = nullptr; ///< outlives it; null: libpq looks them up, and blocks
  };

  explicit pg_session(setup with);
  ~pg_session();
  pg_session(const pg_session&) = delete;
  pg_session& operator=(const pg_session&) = delete;

  /// One of the statements that were prepared. `parameters` in binary form.
  void execute(std::string_view name, std::vector<std::string> parameters,
               std::function<void(pg_answer)> done);
  /// Any text, without parameters; what it gives comes as text.
  void execute_text(std::string text, std::function<void(pg_answer)> done);

  /// Ends it: what is under way has an unknown end, the rest was not sent.
  void give_up(const std::string& why);
  /// For how long the statement that is under way has been; 0: none is.
  [[nodiscard]] std::int64_t waiting_ms() const;
  /// The server has taken it as a session, once at least.
  [[nodiscard]] bool was_open() const noexcept;
  /// It has ended, and takes nothing more.
  [[nodiscard]] bool ended() const noexcept;

private:
  struct rep;
  std::shared_ptr<rep> rep_;
};

} // namespace vicket::internal
