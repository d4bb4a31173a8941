#include "tests/support/postgres_instance.hpp"

#include "tests/support/certificates.hpp"

#include <libpq-fe.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <thread>

#include <unistd.h>

namespace vicket::testing {

namespace {

constexpr unsigned longest_life_s = 900;
constexpr std::int64_t patience_ms = 60'000;
constexpr unsigned nobody = 65'534;

struct connection_deleter {
  void operator()(PGconn* connection) const { PQfinish(connection); }
};
using connection_ptr = std::unique_ptr<PGconn, connection_deleter>;

std::string end_of(const std::filesystem::path& path) {
  std::ifstream file{path, std::ios::binary};
  const std::string text{std::istreambuf_iterator<char>{file}, {}};
  return text.substr(text.size() - std::min<std::size_t>(text.size(), 2'000));
}

} // namespace

postgres_instance::postgres_instance() {
  make({VICKET_POSTGRES_BIN "/initdb", "--pgdata", data(), "--username", "vicket", "--auth", "trust",
        "--encoding", "UTF8", "--no-locale", "--no-sync"});
  start();
}

postgres_instance::postgres_instance(const postgres_instance& primary, const std::string& name) {
  make({VICKET_POSTGRES_BIN "/pg_basebackup", "--pgdata", data(), "--write-recovery-conf", "--checkpoint",
        "fast", "--no-sync", "--dbname", primary.conninfo() + " application_name=" + name});
  start();
}

void postgres_instance::make(std::vector<std::string> command) {
  if (::geteuid() == 0 && ::chown(folder_.path().c_str(), nobody, nobody) != 0)
    throw std::runtime_error{"can't give the scratch folder to another user"};
  const auto made = run_process(as_its_user(std::move(command)));
  if (made.code != 0)
    throw std::runtime_error{"PostgreSQL can't be made: " + made.errors};
}

postgres_instance::~postgres_instance() = default; // SIGKILL: the folder goes with it

std::vector<std::string> postgres_instance::as_its_user(std::vector<std::string> arguments) const {
  if (::geteuid() != 0)
    return arguments;
  const auto id = std::to_string(nobody);
  // What changes its user would otherwise forget that it dies with us.
  std::vector<std::string> all{"/usr/bin/setpriv", "--reuid=" + id, "--regid=" + id, "--clear-groups",
                               "--pdeathsig=KILL"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return all;
}

std::string postgres_instance::conninfo() const {
  return "host=" + folder_.path() + " port=5432 user=vicket dbname=postgres";
}

double postgres_instance::cpu_seconds() const {
  // utime, stime and those of children that were waited for, of the first process and its children.
  const auto ticks_of = [](const std::string& process, pid_t parent) -> std::optional<long> {
    std::ifstream file{"/proc/" + process + "/stat"};
    const std::string line{std::istreambuf_iterator<char>{file}, {}};
    std::istringstream fields{line.substr(std::min(line.size(), line.rfind(')') + 2))};
    std::string skipped;
    pid_t its_parent = 0;
    fields >> skipped >> its_parent;
    if (!fields || (parent != 0 && its_parent != parent))
      return std::nullopt;
    for (auto i = 5; i <= 13; ++i)
      fields >> skipped;
    auto sum = 0L, each = 0L;
    for (auto i = 0; i < 4 && fields >> each; ++i)
      sum += each;
    return sum;
  };
  auto ticks = ticks_of(std::to_string(server_->id()), 0).value_or(0);
  for (const auto& entry : std::filesystem::directory_iterator{"/proc"})
    if (const auto name = entry.path().filename().string();
        name.find_first_not_of("0123456789") == std::string::npos)
      ticks += ticks_of(name, server_->id()).value_or(0);
  return static_cast<double>(ticks) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

void postgres_instance::listen_on(const std::string& address, const certificate& own) {
  const auto keep = [&](const char* name, const std::string& text) {
    const auto path = data() / name;
    std::ofstream{path, std::ios::binary} << text;
    std::filesystem::permissions(path,
                                 std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    if (::geteuid() == 0 && ::chown(path.c_str(), nobody, nobody) != 0)
      throw std::runtime_error{"can't give " + path.string() + " to another user"};
  };
  keep("server.crt", own.pem);
  keep("server.key", own.key_pem);
  std::ofstream{data() / "pg_hba.conf", std::ios::app} << "hostssl all all all trust\n";
  address_ = address;
  stop();
  start();
}

void postgres_instance::start() {
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds{patience_ms};
  while (std::chrono::steady_clock::now() < until) {
    if (!server_ || !server_->running())
      server_ = std::make_unique<child_process>(
          as_its_user({VICKET_POSTGRES_BIN "/postgres", "-D", data(), "-k", folder_.path(), "-h", address_,
                       "-c", address_.empty() ? "ssl=off" : "ssl=on", "-c", "shared_buffers=32MB", "-c",
                       "max_wal_size=256MB", "-c", "log_min_messages=warning"}),
          log(), longest_life_s);
    if (PQping(conninfo().c_str()) == PQPING_OK)
      return;
    std::this_thread::sleep_for(std::chrono::milliseconds{20}); // it starts at its own pace
  }
  complain("PostgreSQL does not start");
}

void postgres_instance::stop() {
  server_->signal(SIGINT);
  if (!server_->wait(patience_ms))
    complain("PostgreSQL does not stop");
}

void postgres_instance::pause() const {
  for (const auto id : processes_with(folder_.path() + "/data"))
    ::kill(id, SIGSTOP);
  // Its backends have other command lines, and are its children.
  const auto children =
      "/proc/" + std::to_string(server_->id()) + "/task/" + std::to_string(server_->id()) + "/children";
  std::ifstream file{children};
  for (pid_t id = 0; file >> id;)
    ::kill(id, SIGSTOP);
}

void postgres_instance::kill() {
  server_->kill();
}

std::string postgres_instance::run(const std::string& statements) const {
  const connection_ptr connection{PQconnectdb(conninfo().c_str())};
  if (PQstatus(connection.get()) != CONNECTION_OK)
    throw std::runtime_error{PQerrorMessage(connection.get())};
  PQsetNoticeProcessor(
      connection.get(), [](void*, const char*) {}, nullptr);
  const std::unique_ptr<PGresult, void (*)(PGresult*)> result{PQexec(connection.get(), statements.c_str()),
                                                              &PQclear};
  const auto status = PQresultStatus(result.get());
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
    throw std::runtime_error{PQresultErrorMessage(result.get())};
  return PQntuples(result.get()) > 0 ? PQgetvalue(result.get(), 0, 0) : "";
}

void postgres_instance::complain(const std::string& what) const {
  throw std::runtime_error{what + ": " + end_of(log())};
}

} // namespace vicket::testing
