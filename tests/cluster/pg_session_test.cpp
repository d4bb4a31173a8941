// How a session to PostgreSQL finds its server: names that are looked up, and addresses that don't answer.

#include "cluster/pg_session.hpp"
#include "tests/support/swallowing_port.hpp"

#include <catch2/catch_test_macros.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

using namespace vicket::internal;
using namespace vicket::testing;

namespace {

constexpr int patience_ms = 30'000;

/// Takes a connection and hangs up on it.
class hanging_up_port {
public:
  hanging_up_port() : listener_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(where);
    REQUIRE(::bind(listener_, reinterpret_cast<const sockaddr*>(&where), sizeof(where)) == 0);
    REQUIRE(::listen(listener_, 5) == 0);
    REQUIRE(::getsockname(listener_, reinterpret_cast<sockaddr*>(&where), &size) == 0);
    port_ = ntohs(where.sin_port);
  }
  ~hanging_up_port() { ::close(listener_); }
  hanging_up_port(const hanging_up_port&) = delete;
  hanging_up_port& operator=(const hanging_up_port&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] bool was_dialled() const {
    pollfd watched{listener_, POLLIN, 0};
    if (::poll(&watched, 1, patience_ms) != 1)
      return false;
    ::close(::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC));
    return true;
  }

private:
  int listener_;
  std::uint16_t port_ = 0;
};

/// A session that is asked one thing.
struct asking {
  asking(const std::string& conninfo, std::function<host_lookup::found(const std::string&)> how,
         std::chrono::milliseconds patience)
      : names{io, patience, std::move(how)} {
    io.run([&] {
      pg_session::setup with{&io, conninfo, {}};
      with.at = pg_places(conninfo).front();
      with.names = &names;
      session = std::make_unique<pg_session>(std::move(with));
      session->execute_text("SELECT 1", [this](const pg_answer& answer) { ended.set_value(answer); });
    });
  }
  ~asking() {
    io.run([&] { session = nullptr; });
  }

  io_thread io{{}};
  host_lookup names;
  std::promise<pg_answer> ended;
  std::unique_ptr<pg_session> session;
};

} // namespace

TEST_CASE("a conninfo's places are its hosts, each with its port") {
  const auto text = [](const std::string& conninfo) {
    std::string all;
    for (const auto& each : pg_places(conninfo))
      all += each.host + "," + each.hostaddr + "," + each.port + ";";
    return all;
  };
  CHECK(text("dbname=x") == ",,;");
  CHECK(text("postgresql://u@db-1/x?sslmode=verify-full") == "db-1,,;");
  CHECK(text("postgresql://u@db-1:1,db-2:2/x") == "db-1,,1;db-2,,2;");
  CHECK(text("host=a,b hostaddr=1.2.3.4,1.2.3.5 port=7") == "a,1.2.3.4,7;b,1.2.3.5,7;");
}

TEST_CASE("a host's addresses are tried one after the other, also where one does not answer") {
  const hanging_up_port port;
  const swallowing_port silent{"127.0.0.2", port.port()};
  asking one{"postgresql://u@db.test:" + std::to_string(port.port()) + "/x",
             [](const std::string& name) -> host_lookup::found {
               return name == "db.test"
                          ? host_lookup::found{std::vector<std::string>{"127.0.0.2", "127.0.0.1"}}
                          : host_lookup::found{"what?"};
             },
             std::chrono::seconds{30}};
  CHECK(port.was_dialled());
  const auto answer = one.ended.get_future().get();
  CHECK(answer.came_to == pg_answer::outcome::not_sent);
  CHECK(answer.detail.find("127.0.0.1") != std::string::npos);
}

TEST_CASE("a name server that never answers holds up the session, and not the thread") {
  const auto answers = std::make_shared<std::promise<void>>();
  const auto hangs = answers->get_future().share();
  {
    asking one{"postgresql://u@db.test/x",
               [hangs](const std::string&) -> host_lookup::found {
                 hangs.wait();
                 return "too late";
               },
               std::chrono::seconds{1}};
    auto ended = one.ended.get_future();
    one.io.run([] {}); // it would wait for the name
    const auto answer = ended.get();
    CHECK(answer.came_to == pg_answer::outcome::not_sent);
    CHECK(answer.detail == "db.test can't be looked up: no answer within 1000 ms");
  }
  answers->set_value();
}
