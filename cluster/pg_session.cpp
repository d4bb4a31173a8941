#include "cluster/pg_session.hpp"

#include "cluster/pg_result.hpp"
#include "cluster/while_alive.hpp"
#include "net/pause.hpp"
#include "policy/assertion.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <algorithm>
#include <chrono>
#include <deque>
#include <iterator>
#include <memory>
#include <utility>

namespace vicket::internal {

namespace {

/// Of each session, whatever the server's and the role's settings say.
constexpr std::string_view session_settings =
    "SET synchronous_commit = on; SET client_min_messages = warning; SET default_transaction_isolation = "
    "'read committed'; "
    "SET statement_timeout = 0; SET lock_timeout = 0; SET idle_session_timeout = 0; SET "
    "standard_conforming_strings = on";

/// For one of several addresses.
constexpr std::int64_t address_ms = 1'000;

std::string field_of(const PGresult* result, int code) {
  const auto* text = PQresultErrorField(result, code);
  return text == nullptr ? std::string{} : std::string{text};
}

std::string integer_bytes(std::uint64_t value, int bytes) {
  std::string text;
  for (auto i = bytes - 1; i >= 0; --i)
    text += static_cast<char>(value >> (8 * i));
  return text;
}

} // namespace

std::string pg_int2(std::int16_t value) {
  return integer_bytes(static_cast<std::uint16_t>(value), 2);
}

std::vector<pg_place> pg_places(const std::string& conninfo) {
  const std::unique_ptr<PQconninfoOption, void (*)(PQconninfoOption*)> options{
      PQconninfoParse(conninfo.c_str(), nullptr), PQconninfoFree};
  const auto list_of = [&](std::string_view keyword) {
    std::vector<std::string> parts;
    for (const auto* each = options.get(); each != nullptr && each->keyword != nullptr; ++each)
      if (each->keyword == keyword && each->val != nullptr && *each->val != '\0') {
        parts.emplace_back();
        for (const auto* c = each->val; *c != '\0'; ++c)
          if (*c == ',')
            parts.emplace_back();
          else
            parts.back() += *c;
      }
    return parts;
  };
  const auto hosts = list_of("host");
  const auto addresses = list_of("hostaddr");
  const auto ports = list_of("port");
  const auto count = std::max<std::size_t>({hosts.size(), addresses.size(), 1});
  std::vector<pg_place> places(count);
  const auto at = [](const std::vector<std::string>& of, std::size_t i) {
    return of.size() == 1 ? of.front() : i < of.size() ? of[i] : std::string{};
  };
  for (std::size_t i = 0; i < count; ++i)
    places[i] = {at(hosts, i), at(addresses, i), at(ports, i)};
  return places;
}

std::string pg_int4(std::int32_t value) {
  return integer_bytes(static_cast<std::uint32_t>(value), 4);
}

std::string pg_int8(std::int64_t value) {
  return integer_bytes(static_cast<std::uint64_t>(value), 8);
}

namespace {

/// One dimension from 1 on, none of it null: the form of array_recv.
template <class Value, class Encode>
std::string array_of(const std::vector<Value>& values, std::int32_t type, Encode encode) {
  auto bytes = pg_int4(values.empty() ? 0 : 1) + pg_int4(0) + pg_int4(type);
  if (!values.empty())
    bytes += pg_int4(static_cast<std::int32_t>(values.size())) + pg_int4(1);
  for (const auto value : values)
    bytes += pg_int4(static_cast<std::int32_t>(sizeof(Value))) + encode(value);
  return bytes;
}

constexpr std::int32_t int4_oid = 23;
constexpr std::int32_t int8_oid = 20;

} // namespace

std::string pg_int4_array(const std::vector<std::int32_t>& values) {
  return array_of(values, int4_oid, pg_int4);
}
std::string pg_int8_array(const std::vector<std::int64_t>& values) {
  return array_of(values, int8_oid, pg_int8);
}

std::int64_t pg_integer(std::string_view bytes) {
  auto value = std::uint64_t{0};
  for (const auto c : bytes)
    value = value << 8 | static_cast<unsigned char>(c);
  switch (bytes.size()) {
  case 2:
    return static_cast<std::int16_t>(value);
  case 4:
    return static_cast<std::int32_t>(value);
  default:
    return static_cast<std::int64_t>(value);
  }
}

struct pg_session::rep : std::enable_shared_from_this<rep> {
  struct job {
    std::string name; ///< of a prepared statement; empty: `text`
    std::string text;
    bool prepares = false; ///< `text` under `name`
    std::vector<std::string> parameters;
    std::function<void(pg_answer)> done; ///< empty: part of the beginning
  };

  enum class phase : std::uint8_t { connecting, ready, ended };

  explicit rep(setup given) : with{std::move(given)}, socket{with.io->context()}, patience{*with.io} {}
  ~rep() { close(); }
  rep(const rep&) = delete;
  rep& operator=(const rep&) = delete;

  void begin() {
    jobs.push_front({{}, std::string{session_settings}, false, {}, {}});
    for (auto& each : with.statements)
      beginning.push_back({each.name, each.text, true, {}, {}});
    const auto& host = with.at.host;
    const auto is_folder = host.empty() || host.front() == '/' || host.front() == '@';
    if (with.names == nullptr || is_folder || !with.at.hostaddr.empty())
      return connect();
    with.names->find(host, while_alive(weak_from_this(),
                                       [](rep& self, const host_lookup::found& what) { self.take(what); }));
  }

  void take(const host_lookup::found& what) {
    if (now == phase::ended)
      return;
    if (const auto* why = std::get_if<std::string>(&what))
      return end(*why);
    const auto& found = std::get<std::vector<std::string>>(what);
    addresses.assign(found.begin(), found.end());
    if (addresses.size() > 1)
      with.connect_ms = std::min(with.connect_ms, address_ms);
    next_address();
  }

  void next_address() {
    with.at.hostaddr = addresses.front();
    addresses.pop_front();
    connect();
  }

  /// It came to nothing: the next address, if the host has another one.
  void not_connected(const std::string& why) {
    if (now != phase::connecting || addresses.empty())
      return end(why);
    close();
    next_address();
  }

  void connect() {
    patience.start(std::chrono::milliseconds{with.connect_ms}, [weak = weak_from_this()] {
      if (const auto self = weak.lock())
        self->not_connected("no connection within " + std::to_string(self->with.connect_ms) + " ms");
    });
    // What comes later counts, so these hold unless the conninfo says otherwise.
    const char* const keywords[] = {
        "keepalives",       "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout",
        "application_name", "dbname"};
    const char* const values[] = {"1", "2", "1", "3", "3000", "vicketd", with.conninfo.c_str()};
    std::vector<const char*> all_keywords{std::begin(keywords), std::end(keywords)};
    std::vector<const char*> all_values{std::begin(values), std::end(values)};
    const auto add = [&](const char* keyword, const std::string& value) {
      if (value.empty())
        return;
      all_keywords.push_back(keyword);
      all_values.push_back(value.c_str());
    };
    add("host", with.at.host);
    add("hostaddr", with.at.hostaddr);
    add("port", with.at.port);
    all_keywords.push_back(nullptr);
    all_values.push_back(nullptr);
    connection = PQconnectStartParams(all_keywords.data(), all_values.data(), 1);
    if (connection == nullptr || PQstatus(connection) == CONNECTION_BAD)
      return not_connected(connection == nullptr ? "no memory for a connection"
                                                 : one_line(PQerrorMessage(connection)));
    PQsetNoticeReceiver(connection, on_notice, this);
    poll_after(PGRES_POLLING_WRITING);
  }

  static void on_notice(void* self, const PGresult* notice) {
    if (field_of(notice, PG_DIAG_SEVERITY_NONLOCALIZED) == "WARNING")
      static_cast<rep*>(self)->warning = one_line(field_of(notice, PG_DIAG_MESSAGE_PRIMARY));
  }

  // -- connecting ---------------------------------------------------------------------------------------------

  /// libpq may change its socket between two calls, so each wait is for the one that it has now.
  void poll_after(PostgresPollingStatusType wanted) {
    if (!attach())
      return;
    await(wanted == PGRES_POLLING_READING ? boost::asio::posix::stream_descriptor::wait_read
                                          : boost::asio::posix::stream_descriptor::wait_write,
          [](rep& self) { self.poll(); });
  }

  void poll() {
    switch (const auto next = PQconnectPoll(connection)) {
    case PGRES_POLLING_OK:
      if (!attach())
        return;
      PQsetnonblocking(connection, 1);
      now = phase::ready;
      opened = true;
      for (auto at = jobs.begin() + 1; !beginning.empty(); beginning.pop_front())
        at = jobs.insert(at, std::move(beginning.front())) + 1;
      listen();
      return send_next();
    case PGRES_POLLING_FAILED:
      return not_connected(one_line(PQerrorMessage(connection)));
    default:
      poll_after(next);
    }
  }

  bool attach() {
    const auto current = PQsocket(connection);
    if (current < 0) {
      not_connected("the connection has no socket");
      return false;
    }
    if (socket.is_open())
      socket.release();
    boost::system::error_code problem;
    socket.assign(current, problem);
    if (problem)
      not_connected("the connection's socket: " + problem.message());
    return !problem;
  }

  template <class Then>
  void await(boost::asio::posix::stream_descriptor::wait_type what, Then then) {
    socket.async_wait(what, [weak = weak_from_this(), then](boost::system::error_code problem) {
      if (const auto self = weak.lock(); self && !problem && self->now != phase::ended)
        then(*self);
    });
  }

  // -- statements ---------------------------------------------------------------------------------------------

  void give(job wanted) {
    if (now == phase::ended) {
      wanted.done(not_done(pg_answer::outcome::not_sent));
      return;
    }
    jobs.push_back(std::move(wanted));
    if (now == phase::ready)
      send_next();
  }

  void send_next() {
    if (under_way || jobs.empty() || now != phase::ready)
      return;
    under_way = true;
    sent_at = std::chrono::steady_clock::now();
    warning.clear();
    answer = {};
    answer.came_to = pg_answer::outcome::done;
    const auto& next = jobs.front();
    auto sent = 0;
    if (next.prepares) {
      sent = PQsendPrepare(connection, next.name.c_str(), next.text.c_str(), 0, nullptr);
    } else if (next.name.empty()) {
      sent = PQsendQuery(connection, next.text.c_str());
    } else {
      std::vector<const char*> values;
      std::vector<int> lengths;
      std::vector<int> formats(next.parameters.size(), 1);
      for (const auto& each : next.parameters) {
        values.push_back(each.data());
        lengths.push_back(static_cast<int>(each.size()));
      }
      sent = PQsendQueryPrepared(connection, next.name.c_str(), static_cast<int>(values.size()),
                                 values.data(), lengths.data(), formats.data(), 1);
    }
    if (sent != 1)
      return end(one_line(PQerrorMessage(connection)));
    flush();
  }

  void flush() {
    switch (PQflush(connection)) {
    case 0:
      return;
    case 1:
      await(boost::asio::posix::stream_descriptor::wait_write, [](rep& self) { self.flush(); });
      return;
    default:
      end(one_line(PQerrorMessage(connection)));
    }
  }

  void listen() {
    await(boost::asio::posix::stream_descriptor::wait_read, [](rep& self) { self.read(); });
  }

  void read() {
    if (PQconsumeInput(connection) != 1)
      return end(one_line(PQerrorMessage(connection)));
    while (under_way && PQisBusy(connection) == 0) {
      const pg_result_ptr result{PQgetResult(connection)};
      if (result) {
        take(*result);
        continue;
      }
      if (PQstatus(connection) != CONNECTION_OK)
        return end(answer.detail.empty() ? one_line(PQerrorMessage(connection)) : answer.detail);
      finish();
      if (now == phase::ended)
        return;
    }
    if (PQstatus(connection) != CONNECTION_OK)
      return end(one_line(PQerrorMessage(connection)));
    listen();
  }

  void take(const PGresult& result) {
    switch (PQresultStatus(&result)) {
    case PGRES_TUPLES_OK:
      for (auto row = 0; row < PQntuples(&result); ++row) {
        auto& to = answer.rows.emplace_back();
        for (auto column = 0; column < PQnfields(&result); ++column)
          if (PQgetisnull(&result, row, column) != 0)
            to.emplace_back();
          else
            to.emplace_back(std::string(PQgetvalue(&result, row, column),
                                        static_cast<std::size_t>(PQgetlength(&result, row, column))));
      }
      [[fallthrough]];
    case PGRES_COMMAND_OK:
      answer.changed = std::strtoull(PQcmdTuples(const_cast<PGresult*>(&result)), nullptr, 10);
      return;
    default:
      break;
    }
    answer.sqlstate = field_of(&result, PG_DIAG_SQLSTATE);
    answer.detail = one_line(field_of(&result, PG_DIAG_MESSAGE_PRIMARY));
    if (answer.detail.empty())
      answer.detail = one_line(PQresultErrorMessage(&result));
    // FATAL and PANIC: the server ends the connection, and may have committed before.
    answer.came_to = field_of(&result, PG_DIAG_SEVERITY_NONLOCALIZED) == "ERROR"
                         ? pg_answer::outcome::refused
                         : pg_answer::outcome::unknown;
  }

  void finish() {
    auto done = std::move(jobs.front());
    jobs.pop_front();
    under_way = false;
    if (!warning.empty() && answer.came_to == pg_answer::outcome::done) {
      answer.came_to = pg_answer::outcome::warned;
      answer.detail = warning;
    }
    if (!done.done) { // of the beginning
      if (!answer.answered())
        return end(answer.detail);
      if (jobs.empty() || jobs.front().done)
        patience.cancel();
      return send_next();
    }
    const auto alive = shared_from_this(); // whoever is told may let go of the session
    done.done(std::move(answer));
    send_next();
  }

  // -- the end ------------------------------------------------------------------------------------------------

  [[nodiscard]] pg_answer not_done(pg_answer::outcome how) const {
    pg_answer result;
    result.came_to = how;
    result.detail = why_ended;
    return result;
  }

  [[nodiscard]] std::int64_t waiting_ms() const {
    if (!under_way)
      return 0;
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - sent_at)
        .count();
  }

  void end(std::string why) {
    if (std::exchange(now, phase::ended) == phase::ended)
      return;
    const auto alive = shared_from_this();
    why_ended = std::move(why);
    close();
    auto first = std::exchange(under_way, false);
    for (auto& each : std::exchange(jobs, {})) {
      if (each.done)
        each.done(not_done(first ? pg_answer::outcome::unknown : pg_answer::outcome::not_sent));
      first = false;
    }
  }

  void close() {
    patience.cancel();
    if (socket.is_open())
      socket.release(); // libpq closes it
    if (connection != nullptr)
      PQfinish(std::exchange(connection, nullptr));
  }

  bool opened = false;
  std::deque<std::string> addresses; ///< of the host, that were not tried yet
  std::chrono::steady_clock::time_point sent_at{};
  setup with;
  PGconn* connection = nullptr;
  boost::asio::posix::stream_descriptor socket;
  pause patience;
  phase now = phase::connecting;
  std::deque<job> jobs; ///< the first one is under way, if `under_way`
  std::deque<job> beginning;
  bool under_way = false;
  pg_answer answer;
  std::string warning;
  std::string why_ended;
};

pg_session::pg_session(setup with) : rep_{std::make_shared<rep>(std::move(with))} {
  rep_->begin();
}

pg_session::~pg_session() {
  rep_->now = rep::phase::ended;
  rep_->jobs.clear();
  rep_->close();
}

void pg_session::execute(std::string_view name, std::vector<std::string> parameters,
                         std::function<void(pg_answer)> done) {
  VICKET_ASSERT(!name.empty() && done);
  rep_->give({std::string{name}, {}, false, std::move(parameters), std::move(done)});
}

void pg_session::execute_text(std::string text, std::function<void(pg_answer)> done) {
  VICKET_ASSERT(done);
  rep_->give({{}, std::move(text), false, {}, std::move(done)});
}

void pg_session::give_up(const std::string& why) {
  rep_->end(why);
}

std::int64_t pg_session::waiting_ms() const {
  return rep_->waiting_ms();
}

bool pg_session::was_open() const noexcept {
  return rep_->opened;
}

bool pg_session::ended() const noexcept {
  return rep_->now == rep::phase::ended;
}

} // namespace vicket::internal
