#include "bench/report/markdown.hpp"

#include "tests/bench/report/example_run.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicket::bench {

TEST_CASE("the Markdown has what was measured on, the goals, and a section for each scenario") {
  auto run = example_run();
  run.scenarios.erase(run.scenarios.begin() + 1, run.scenarios.end());
  run.scenarios[0].figures.erase(run.scenarios[0].figures.begin() + 1);
  run.scenarios[0].figures.back().value = 41.2;
  run.scenarios[0].violations = {"lost: 1 id"};
  CHECK(markdown_of(run) ==
        "- Machine: 2 × Example CPU at 2.4 GHz, 24 GiB, Linux 6.1, Debian 12\n"
        "- Version: 0.1.0\n"
        "- Commit: `0123456789ab-dirty`\n"
        "- Command: `build/vicket-bench --all --html report.html`\n"
        "- Tools: nginx 1.22.1, wrk 4.1.0, valgrind 3.19.0\n"
        "- Started: 2026-05-23T14:21:11.412Z, took 5 min 12 s\n"
        "- Result: 1 of 2 goals met, 0 of them with the aim; MISSED: CPU per delivery (throughput); NOT "
        "CORRECT: 1 "
        "violation\n"
        "\n"
        "## Goals\n"
        "\n"
        "| Scenario | Figure | Value | Must | Aim | Verdict |\n"
        "|---|---|--:|--:|--:|---|\n"
        "| throughput | deliveries/s ÷ wrk | 0.431 | ≥ 0.35 | ≥ 0.5 | must met |\n"
        "| throughput | CPU per delivery | 41.2 µs | ≤ 40 µs | ≤ 25 µs | **MISSED** |\n"
        "\n"
        "## throughput\n"
        "\n"
        "500-byte bodies over HTTPS to 64 connectors, against wrk at the same sink (31 s)\n"
        "\n"
        "| Figure | Value | Must | Aim | Verdict | Rounds |\n"
        "|---|--:|--:|--:|---|---|\n"
        "| deliveries/s, durable, signed, HTTPS | 12,432/s | | | | 12,102 – 12,690/s, 3 rounds |\n"
        "| deliveries/s ÷ wrk | 0.431 | ≥ 0.35 | ≥ 0.5 | must met | 0.421 – 0.439, 3 rounds |\n"
        "| CPU per delivery | 41.2 µs | ≤ 40 µs | ≤ 25 µs | **MISSED** | 23.1 – 24.9 µs, 3 rounds |\n"
        "\n"
        "- The sink and the feeder run on the same 2 cores.\n"
        "- Bodies of 500 bytes, keep-alive, TLS 1.3.\n"
        "- **VIOLATION**: lost: 1 id\n");
}

TEST_CASE("texts are shown as they are, whatever they mean in Markdown") {
  const std::vector<std::pair<std::string_view, std::string_view>> table{
      {"<script>&amp;", "&lt;script>&amp;amp;"},
      {"a | b", "a \\| b"},
      {"*a* _b_ `c` [d](e) ~f~ $g$ \\h", "\\*a\\* \\_b\\_ \\`c\\` \\[d\\](e) \\~f\\~ \\$g\\$ \\\\h"},
      {"first_byte_ms", "first_byte_ms"},
      {"two\nlines\r\n", "two lines  "},
      {"  # no heading", "\\# no heading"},
      {"### no heading", "##\\# no heading"},
      {"- no list", "\\- no list"},
      {"1. no list", "1\\. no list"},
      {"12) no list", "12\\) no list"},
      {"1.5 ms", "1.5 ms"},
      {"-3 ms", "-3 ms"},
      {"---", "--\\-"},
      {"\xFF", "\xEF\xBF\xBD"},
      {"", ""},
  };
  for (const auto& [text, shown] : table) {
    INFO(text);
    auto run = run_with({});
    run.scenarios[0].notes = {std::string{text}};
    CHECK(markdown_of(run).ends_with("\n\nNo figures.\n\n- " + std::string{shown} + '\n'));
  }
}

TEST_CASE("a command is code, whatever backticks it has") {
  run_result run;
  run.command = "vicket-bench --name ``x`";
  CHECK(markdown_of(run).starts_with("- Command: ``` vicket-bench --name ``x` ```\n"));
}

TEST_CASE("a run of nothing has no goals") {
  CHECK(markdown_of(run_result{}) == "- Result: nothing was measured\n\n## Goals\n\nNo goals were set.\n");
}

} // namespace vicket::bench
