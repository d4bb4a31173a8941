#include "bench/report/table.hpp"

#include "tests/bench/report/example_run.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <string>

namespace vicket::bench {

TEST_CASE("the table shows the scenarios with their figures, goals and verdicts, and a summary last") {
  run_result run = example_run();
  run.scenarios.resize(1);
  CHECK(table_of(run) ==
        "machine   2 × Example CPU at 2.4 GHz, 24 GiB, Linux 6.1, Debian 12\n"
        "version   0.1.0\n"
        "commit    0123456789ab-dirty\n"
        "command   build/vicket-bench --all --html report.html\n"
        "tools     nginx 1.22.1, wrk 4.1.0, valgrind 3.19.0\n"
        "started   2026-05-23T14:21:11.412Z\n"
        "\n"
        "throughput: 500-byte bodies over HTTPS to 64 connectors, against wrk at the same sink (31 s)\n"
        "  FIGURE                                   VALUE     MUST      AIM  VERDICT   ROUNDS\n"
        "  deliveries/s, durable, signed, HTTPS  12,432/s                              12,102 – 12,690/s, 3 "
        "rounds\n"
        "  wrk, requests/s, HTTPS                28,870/s                              28,020 – 29,410/s, 3 "
        "rounds\n"
        "  deliveries/s ÷ wrk                       0.431   ≥ 0.35    ≥ 0.5  must met  0.421 – 0.439, 3 "
        "rounds\n"
        "  CPU per delivery                       23.8 µs  ≤ 40 µs  ≤ 25 µs  aim met   23.1 – 24.9 µs, 3 "
        "rounds\n"
        "  note: The sink and the feeder run on the same 2 cores.\n"
        "  note: Bodies of 500 bytes, keep-alive, TLS 1.3.\n"
        "\n"
        "2 of 2 goals met, 1 of them with the aim; correct: nothing lost, doubled or wrongly signed; took 5 "
        "min 12 s\n");
}

TEST_CASE("the table shows violations, and the summary says that the run is not correct") {
  auto run = run_with({{"p99_ms", "p99", 11.4, "ms", goal{10, 5, false}, {}}});
  run.scenarios[0].violations = {"lost: 3 ids"};
  const auto text = table_of(run);
  CHECK(text.find("\n  VIOLATION: lost: 3 ids\n") != std::string::npos);
  CHECK(text.ends_with(
      "\n0 of 1 goal met, 0 of them with the aim; MISSED: p99 (example); NOT CORRECT: 1 violation; "
      "took 0.0 s\n"));
}

TEST_CASE("long notes are broken between words, below where they start") {
  auto run = run_with({});
  for (int i = 0; i < 30; ++i)
    run.scenarios[0].notes.resize(1),
        run.scenarios[0].notes[0] += (i == 0 ? "" : " ") + std::string{"wördword"};
  const auto text = table_of(run);
  const auto start = text.find("  note: wördword");
  REQUIRE(start != std::string::npos);
  std::size_t at = start;
  std::size_t lines = 0;
  for (auto end = text.find('\n', at); text.substr(at, 8) == (lines == 0 ? "  note: " : "        ");
       at = end + 1, end = text.find('\n', at)) {
    const auto line = text.substr(at, end - at);
    CHECK(line.back() == 'd');
    CHECK(std::count_if(line.begin(), line.end(), [](char c) { return (c & 0xC0) != 0x80; }) <= 110);
    ++lines;
  }
  CHECK(lines == 3);
}

TEST_CASE("texts from elsewhere can't steer the terminal") {
  const std::string evil = "a\033[31mb\nzz\xFF";
  auto run = run_with({{evil, evil, 1, evil, std::nullopt, {}}});
  run.machine = run.command = evil;
  run.scenarios[0].name = run.scenarios[0].title = evil;
  run.scenarios[0].notes = run.scenarios[0].violations = {evil};
  const auto text = table_of(run);
  CHECK(text.find('\033') == std::string::npos);
  CHECK(text.find("\nzz") == std::string::npos);
  CHECK(text.find('\xFF') == std::string::npos);
}

TEST_CASE("a run of nothing is one line") {
  CHECK(table_of(run_result{}) == "nothing was measured; took 0.0 s\n");
}

} // namespace vicket::bench
