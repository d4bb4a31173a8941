#include "bench/sink/behaviour.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>

using namespace vicket::bench;
using kind = behaviour::kind;

TEST_CASE("a path says what its endpoint does, and which connector it is") {
  struct row {
    const char* path;
    behaviour expected;
  };
  for (const auto& [path, expected] : {
           row{"/ok/0", {kind::answer, 200, 0, 0}},
           row{"/ok/7", {kind::answer, 200, 0, 7}},
           row{"/ok/4294967295", {kind::answer, 200, 0, 4'294'967'295}},
           row{"/status-200/1", {kind::answer, 200, 0, 1}},
           row{"/status-204/1", {kind::answer, 204, 0, 1}},
           row{"/status-500/63", {kind::answer, 500, 0, 63}},
           row{"/status-999/1", {kind::answer, 999, 0, 1}},
           row{"/delay-0/1", {kind::answer, 200, 0, 1}},
           row{"/delay-1000/12", {kind::answer, 200, 1'000, 12}},
           row{"/delay-60000/1", {kind::answer, 200, 60'000, 1}},
           row{"/hang/5", {kind::hang, 0, 0, 5}},
           row{"/gate/6", {kind::gate, 0, 0, 6}},
       }) {
    INFO(path);
    CHECK(behaviour_of(path) == expected);
  }
}

TEST_CASE("any other path is not found") {
  const behaviour not_found{kind::answer, 404, 0, 0};
  for (const auto* path : {"",
                           "/",
                           "ok/1",
                           "/ok",
                           "/ok/",
                           "/ok/x",
                           "/ok/1x",
                           "/ok/-1",
                           "/ok/+1",
                           "/ok/1/2",
                           "/ok/1?a=b",
                           "/ok/4294967296",
                           "//1",
                           "/OK/1",
                           "/okay/1",
                           "/status-/1",
                           "/status-50/1",
                           "/status-5000/1",
                           "/status-1e3/1",
                           "/status-199/1",
                           "/status-100/1",
                           "/status--99/1",
                           "/delay-/1",
                           "/delay-60001/1",
                           "/delay--1/1",
                           "/delay-99999999999/1",
                           "/delay-1s/1",
                           "/hang-1/1",
                           "/gate",
                           "http://localhost/ok/1"}) {
    INFO(path);
    CHECK(behaviour_of(path) == not_found);
  }
}
