#include "tests/bench/sink/engine_request.hpp"
#include "tests/bench/sink/sink_process.hpp"

#include "bench/sink/request_parser.hpp"

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <csignal>
#include <string>
#include <vector>

using namespace vicket::testing;
using vicket::bench::arrival;

namespace {

constexpr const char* ok = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

std::string signed_now(const std::string& path, unsigned number) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return engine_request(path, number, std::chrono::duration_cast<std::chrono::seconds>(now).count());
}

std::string post(const std::string& path, const std::string& body = "{}") {
  return "POST " + path + " HTTP/1.1\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::vector<int> signatures_in(const vicket::bench::arrival_log& log) {
  std::vector<int> found;
  for (const auto& one : log.arrivals())
    found.push_back(one.signature);
  return found;
}

std::string repeated(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i)
    all += text;
  return all;
}

} // namespace

TEST_CASE("the sink answers what the engine sends over TLS, and has recorded it by then") {
  sink_process sink{{"--verify-every", "2"}};
  const auto client = sink.connect();
  for (unsigned number = 1; number <= 3; ++number) {
    client->send(signed_now("/ok/7", number));
    CHECK(client->answer() == ok);
    CHECK(sink.log().arrivals().size() == number);
  }
  CHECK(client->cipher() == "TLSv1.3 TLS_AES_128_GCM_SHA256");
  client->send(signed_now("/status-500/8", 4));
  CHECK(client->answer().starts_with("HTTP/1.1 500 Internal Server Error\r\n"));
  client->send(signed_now("/gate/9", 5));
  CHECK(client->answer().starts_with("HTTP/1.1 503 "));
  sink.log().top().gate_open = 1;
  client->send(signed_now("/gate/9", 5));
  CHECK(client->answer() == ok);

  CHECK(signatures_in(sink.log()) == std::vector<int>{arrival::genuine, arrival::not_checked,
                                                      arrival::genuine, arrival::not_checked,
                                                      arrival::genuine, arrival::not_checked});
  CHECK(sink.log().arrivals()[3].connector == 8);
  CHECK(sink.log().arrivals()[3].status == 500);
  CHECK(sink.log().arrivals()[3].arrived_ns >= sink.log().arrivals()[2].arrived_ns);
  CHECK(sink.log().top().open_connections == 1);
}

TEST_CASE("the sink lies when it is told to") {
  sink_process sink{
      {"--fault", "lose:2", "--fault", "double:3", "--fault", "forge:4", "--verify-every", "1"}};
  const auto client = sink.connect();
  for (unsigned number = 1; number <= 4; ++number) {
    client->send(signed_now("/ok/" + std::to_string(number), number));
    CHECK(client->answer() == ok);
  }
  std::vector<unsigned> connectors;
  for (const auto& one : sink.log().arrivals())
    connectors.push_back(one.connector);
  CHECK(connectors == std::vector{1u, 3u, 3u, 4u});
  CHECK(signatures_in(sink.log()) ==
        std::vector<int>{arrival::genuine, arrival::genuine, arrival::genuine, arrival::forged});
}

TEST_CASE("on its plain port the sink verifies every request, of HTTP/1.0, too") {
  sink_process sink{{"--verify-every", "0"}};
  const auto client = sink.connect_plainly();
  client->send(signed_now("/ok/1", 1));
  CHECK(client->answer() == ok);
  client->send(post("/ok/1"));
  CHECK(client->answer() == ok);
  client->send("POST /ok/1 HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n");
  CHECK(client->answer() == "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n");
  client->send("POST /ok/1 HTTP/1.0\r\nContent-Length: 0\r\n\r\n");
  CHECK(client->answer() == "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
  CHECK(client->ended());
  CHECK(signatures_in(sink.log()) ==
        std::vector<int>{arrival::genuine, arrival::forged, arrival::forged, arrival::forged});
}

TEST_CASE("a request that hangs is counted until its client is gone, and keeps nobody else waiting") {
  sink_process sink;
  const auto& top = sink.log().top();
  for (const bool over_tls : {true, false}) {
    auto hanging = over_tls ? sink.connect() : sink.connect_plainly();
    hanging->send(post("/hang/1") + post("/ok/1"));
    REQUIRE(becomes_true([&] { return top.hanging == 1; }));
    const auto other = over_tls ? sink.connect() : sink.connect_plainly();
    other->send(post("/ok/2"));
    CHECK(other->answer() == ok);
    CHECK(top.hanging == 1);
    CHECK(top.open_connections == 2);
    hanging.reset();
    CHECK(becomes_true([&] { return top.hanging == 0 && top.open_connections == 1; }));
    CHECK(sink.log().arrivals().size() ==
          (over_tls ? 2 : 4)); // what stands behind one that hangs is not read
  }
  CHECK(sink.log().arrivals()[0].status == 0);
}

TEST_CASE("a delayed answer comes in its turn, and keeps nobody else waiting") {
  sink_process sink;
  const auto slowest = sink.connect();
  slowest->send(post("/delay-60000/1"));
  const auto slow = sink.connect();
  slow->send(post("/delay-30/1") + post("/status-500/1") + post("/delay-1/1") + post("/ok/1"));
  CHECK(slow->answer() == ok);
  CHECK(slow->answer().starts_with("HTTP/1.1 500 "));
  CHECK(slow->answer() == ok);
  CHECK(slow->answer() == ok);
  CHECK(sink.log().arrivals().size() == 5);
}

TEST_CASE("a client that did not wait for its delayed answer is forgotten with it") {
  sink_process sink;
  const auto patient = sink.connect_plainly();
  auto impatient = sink.connect_plainly();
  impatient->send(post("/delay-20/1"));
  REQUIRE(becomes_true([&] { return sink.log().arrivals().size() == 1; }));
  impatient.reset();
  REQUIRE(becomes_true([&] { return sink.log().top().open_connections == 1; }));
  patient->send(post("/delay-40/1"));
  CHECK(patient->answer() == ok);
}

TEST_CASE("a delayed answer is not sooner than it was asked for") {
  sink_process sink;
  const auto client = sink.connect();
  const auto before = std::chrono::steady_clock::now();
  client->send(post("/delay-25/1"));
  CHECK(client->answer() == ok);
  CHECK(std::chrono::steady_clock::now() - before >= std::chrono::milliseconds{25});
}

TEST_CASE("a request may come in as many pieces as it has bytes") {
  sink_process sink;
  for (const bool over_tls : {true, false}) {
    const auto client = over_tls ? sink.connect() : sink.connect_plainly();
    for (const char c : post("/ok/3", "some body"))
      client->send({&c, 1});
    CHECK(client->answer() == ok);
  }
}

TEST_CASE(
    "the longest body is taken, and what is too long or no request is refused and its connection closed") {
  sink_process sink;
  const auto client = sink.connect();
  client->send(post("/ok/3", std::string(vicket::bench::max_request_body_bytes, 'x')));
  CHECK(client->answer() == ok);
  client->send("POST /ok/3 HTTP/1.1\r\nContent-Length: 1048577\r\n\r\n");
  CHECK(client->answer().starts_with("HTTP/1.1 413 Content Too Large\r\nConnection: close\r\n"));
  CHECK(client->ended());

  const auto mistaken = sink.connect_plainly();
  mistaken->send(post("/ok/3") + "nonsense\r\n\r\n" + post("/ok/3"));
  CHECK(mistaken->answer() == ok);
  CHECK(mistaken->answer().starts_with("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n"));
  CHECK(mistaken->ended());
  CHECK(sink.log().arrivals().size() == 2);
}

TEST_CASE("a client that sends without reading its answers gets all of them in the end, and stops nobody") {
  constexpr int requests = 50'000;
  sink_process sink;
  for (const bool over_tls : {true, false}) {
    const auto client = over_tls ? sink.connect() : sink.connect_plainly();
    client->send(post("/status-201/1"));
    const auto answer = client->answer();
    const auto answers = client->flood(repeated(post("/status-201/1"), requests), requests * answer.size());
    CHECK(answers == repeated(answer, requests));
    const auto other = sink.connect();
    other->send(post("/ok/1"));
    CHECK(other->answer() == ok);
  }
  CHECK(sink.log().arrivals().size() == 2 * (requests + 2));
  CHECK(sink.log().top().dropped == 0);
}

TEST_CASE("clients beyond the sink's connections wait until another is gone") {
  sink_process sink{{"--connections", "2"}};
  auto first = sink.connect_plainly();
  const auto second = sink.connect_plainly();
  const auto third = sink.connect_plainly(); // by the system, not by the sink
  for (const auto& client : {&*first, &*second, &*third})
    client->send(post("/ok/1"));
  CHECK(first->answer() == ok);
  CHECK(second->answer() == ok);
  CHECK(sink.log().top().open_connections == 2);
  CHECK(sink.log().arrivals().size() == 2);
  first.reset();
  CHECK(third->answer() == ok);
}

TEST_CASE("the sink ends when it is told to or when its standard input does, with connections open") {
  for (const int signal : {SIGTERM, SIGINT, 0}) {
    sink_process sink;
    const auto client = sink.connect();
    client->send(post("/hang/1") + post("/delay-60000/1"));
    if (signal != 0)
      sink.self().signal(signal);
    else
      sink.self().close_input();
    CHECK(sink.self().wait() == 0);
    CHECK(sink.self().errors().empty());
  }
}

TEST_CASE("a sink that can't start says why in one line") {
  const temporary_folder folder;
  const auto none = folder.file("none", "");
  static_cast<void>(vicket::bench::arrival_log::create(folder.path() + "/arrivals", 10));
  const auto arrivals = folder.path() + "/arrivals";
  struct row {
    std::vector<std::string> flags;
    int code;
    std::string part;
  };
  for (const auto& [flags, code, part] : {
           row{{}, 2, "--cert is required"},
           row{{"--cert", none, "--key", none, "--records", arrivals, "--fault", "lose"}, 2, "--fault lose"},
           row{{"--cert", none, "--key", none, "--records", arrivals, "--unknown"}, 2, "--unknown"},
           row{{"--cert", none, "--key", none, "--records", arrivals, "--connections", "0"},
               2,
               "--connections"},
           row{{"--cert", none, "--key", none, "--records", none}, 1, none + ": is no log of arrivals"},
           row{{"--cert", none, "--key", none, "--records", arrivals}, 1, "--cert " + none},
           row{{"--cert", none, "--key", none, "--records", arrivals, "--listen", "localhost:0"},
               1,
               "can't listen on localhost:0"},
       }) {
    std::vector<std::string> command{SINK_PATH};
    command.insert(command.end(), flags.begin(), flags.end());
    const auto finished = run_process(command);
    INFO(finished.errors);
    CHECK(finished.code == code);
    CHECK(finished.errors.find(part) != std::string::npos);
    CHECK(finished.errors.find('\n') == finished.errors.size() - 1);
    CHECK(finished.lines.empty());
  }
}
