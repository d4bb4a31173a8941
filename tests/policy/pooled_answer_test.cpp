#include "policy/pooled_answer.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace vicket;

TEST_CASE("what a server may have said to an idle connection is told from what it says to a request",
          "[policy]") {
  struct row {
    std::uint16_t status;
    bool says_close;
    bool names_time;
    bool unasked;
  };
  const row rows[] = {
      {408, true, false, true},   {408, false, false, true},  {408, true, true, true},
      {421, true, false, true},   {421, false, false, true},  {400, true, false, true},
      {400, false, false, false}, {503, true, false, true},   {503, false, false, false},
      {503, true, true, false},   {503, false, true, false},  {200, true, false, false},
      {202, true, false, false},  {204, true, false, false},  {301, true, false, false},
      {308, true, false, false},  {401, true, false, false},  {403, true, false, false},
      {404, true, false, false},  {409, true, false, false},  {410, true, false, false},
      {413, true, false, false},  {422, true, false, false},  {425, true, false, false},
      {429, true, false, false},  {429, true, true, false},   {431, true, false, false},
      {500, true, false, false},  {500, false, false, false}, {501, true, false, false},
      {502, true, false, false},  {504, true, false, false},  {505, true, false, false},
  };
  for (const auto& one : rows) {
    INFO(one.status << (one.says_close ? ", closes" : "") << (one.names_time ? ", Retry-After" : ""));
    CHECK(may_be_unasked(one.status, one.says_close, one.names_time) == one.unasked);
  }
}
