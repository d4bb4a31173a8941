#include "policy/shortage_notice.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <string>

using namespace vicket;
using Catch::Matchers::ContainsSubstring;

namespace {

constexpr timestamp_ms now{1'779'546'071'412};
const std::string files = "file descriptors (Too many open files)";

} // namespace

TEST_CASE("the first shortage is told at once: of what, how many wait, since when") {
  shortage_notice notice;
  CHECK(notice.lasts(0, files, 287, now) ==
        "this node is short of file descriptors (Too many open files): 287 "
        "deliveries wait, since 2026-05-23T14:21:11.412Z; that costs no attempt");
}

TEST_CASE("while it lasts there is one line a minute, with the time at which it began") {
  shortage_notice notice;
  CHECK(notice.lasts(0, files, 5, now));
  for (std::int64_t ms = 250; ms < 60'000; ms += 250)
    CHECK_FALSE(notice.lasts(0, files, 5, now + ms));
  const auto line = notice.lasts(0, files, 1, now + 60'000);
  REQUIRE(line);
  CHECK_THAT(*line, ContainsSubstring("1 delivery waits, since 2026-05-23T14:21:11.412Z"));
  CHECK_FALSE(notice.lasts(0, files, 1, now + 119'999));
  CHECK(notice.lasts(0, files, 1, now + 120'000));
}

TEST_CASE("it is over, and told so once, when nobody has told of it for 10 s") {
  shortage_notice notice;
  CHECK(notice.lasts(0, files, 5, now));
  CHECK_FALSE(notice.look(now + 9'999));
  const auto line = notice.look(now + 10'000);
  REQUIRE(line);
  CHECK_THAT(*line, ContainsSubstring("no longer short of file descriptors (Too many open files)") &&
                        ContainsSubstring("since 2026-05-23T14:21:11.412Z"));
  CHECK_FALSE(notice.look(now + 10'001));
}

TEST_CASE("it is over at once when the last that was short says so") {
  shortage_notice notice;
  CHECK(notice.lasts(0, files, 5, now));
  CHECK_FALSE(notice.lasts(1, files, 5, now));
  CHECK_FALSE(notice.ends(0, "memory", now + 1'000)); // it was not short of that
  CHECK_FALSE(notice.ends(0, files, now + 1'000));
  const auto line = notice.ends(1, files, now + 2'000);
  REQUIRE(line);
  CHECK_THAT(*line, ContainsSubstring("no longer short of file descriptors (Too many open files)"));
  CHECK_FALSE(notice.ends(1, files, now + 2'001));
}

TEST_CASE("what comes and goes within a minute of the last line is not told") {
  shortage_notice notice;
  CHECK(notice.lasts(0, files, 5, now));
  CHECK(notice.look(now + 10'000));
  CHECK_FALSE(notice.lasts(0, files, 5, now + 20'000));
  CHECK_FALSE(notice.look(now + 30'000));
  CHECK_FALSE(notice.lasts(0, files, 5, now + 59'000));
  const auto line = notice.lasts(0, files, 5, now + 60'000); // it lasts
  REQUIRE(line);
  CHECK_THAT(*line, ContainsSubstring("since 2026-05-23T14:22:10.412Z"));
}

TEST_CASE("all that wait are in one line, whatever they wait for") {
  shortage_notice notice;
  CHECK(notice.lasts(0, files, 5, now));
  CHECK_FALSE(notice.lasts(1, files, 7, now));
  CHECK_FALSE(notice.lasts(1, "memory", 2, now + 55'000));
  CHECK_FALSE(notice.lasts(0, files, 5, now + 55'000));
  CHECK_FALSE(notice.look(now + 60'000)); // what partition 1 told of first has lapsed
  const auto line = notice.lasts(0, files, 6, now + 60'000);
  REQUIRE(line);
  CHECK_THAT(*line,
             ContainsSubstring("short of file descriptors (Too many open files), memory: 8 deliveries wait"));
}

TEST_CASE("of many things three are named") {
  for (const int things : {3, 4, 5}) {
    shortage_notice notice;
    CHECK(notice.lasts(0, "thing 0", 1, now));
    for (int i = 1; i < things; ++i)
      CHECK_FALSE(notice.lasts(0, "thing " + std::to_string(i), 1, now + 59'000));
    const auto line = notice.lasts(0, "thing 0", 1, now + 60'000);
    REQUIRE(line);
    CHECK_THAT(*line, ContainsSubstring("of thing 0, thing 1, thing 2" +
                                        (things == 3 ? std::string{":"}
                                                     : " and " + std::to_string(things - 3) + " more:")));
  }
}
