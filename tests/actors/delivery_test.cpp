#include "actors/delivery.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace vicket;

namespace {

http_result answered(std::uint16_t status) {
  http_result result;
  result.status = status;
  return result;
}

} // namespace

TEST_CASE("success is 2xx, nothing else; each attempt is in exactly one class and says why") {
  struct row {
    http_result result;
    outcome expected;
  };
  http_result cut = answered(200);
  cut.failure = outcome::protocol;
  cut.error = "closed in the middle of the body";
  http_result late;
  late.failure = outcome::timeout;
  late.error = "no answer within 10000 ms";
  const row rows[] = {
      {answered(200), outcome::delivered},
      {answered(204), outcome::delivered},
      {answered(299), outcome::delivered},
      {answered(300), outcome::http_status},
      {answered(301), outcome::http_status},
      {answered(199), outcome::http_status},
      {answered(404), outcome::http_status},
      {answered(500), outcome::http_status},
      {answered(999), outcome::http_status},
      {cut, outcome::protocol},
      {late, outcome::timeout},
  };
  for (const auto& [result, expected] : rows) {
    auto copy = result;
    const auto attempt = classify(std::move(copy), 3, {1'000});
    INFO("status " << result.status.value_or(0));
    CHECK(attempt.result == expected);
    CHECK(attempt.number == 3);
    CHECK(attempt.started_at == timestamp_ms{1'000});
    CHECK(attempt.status == result.status);
    CHECK(attempt.error.empty() == (expected == outcome::delivered));
  }
}

TEST_CASE("an answer that is no 2xx keeps its fields, and says how its body ended") {
  auto result = answered(503);
  result.headers = {{"Retry-After", "30"}};
  result.error = "127.0.0.1:80 closed the connection after 2 of 5 announced body bytes";
  const auto attempt = classify(std::move(result), 1, {});
  CHECK(attempt.response_headers == std::vector<header_field>{{"Retry-After", "30"}});
  CHECK(attempt.error ==
        "the endpoint answered 503 (127.0.0.1:80 closed the connection after 2 of 5 announced body "
        "bytes); only 2xx is success");
}

TEST_CASE("a redirect says that it is not followed") {
  CHECK(classify(answered(302), 1, {}).error.find("redirect") != std::string::npos);
}

TEST_CASE("a body that is cut inside a character is cut before it") {
  std::string cyrillic{'x'};
  while (cyrillic.size() <= attempt::max_body_bytes)
    cyrillic.append("\xd0\x96");
  auto result = answered(500);
  result.body.assign(cyrillic, 0, attempt::max_body_bytes);
  result.body_bytes = 80'001;
  result.body_truncated = true;
  auto value = classify(std::move(result), 1, {});
  CHECK(value.response_body.size() == attempt::max_body_bytes - 1);
  CHECK(cyrillic.starts_with(value.response_body));
  CHECK(value.response_body_bytes == 80'001);
  CHECK(value.response_truncated);

  result = answered(200); // the connection ended in the middle of it
  result.failure = outcome::protocol;
  result.body = "ab\xe2\x82";
  result.body_bytes = 4;
  value = classify(std::move(result), 1, {});
  CHECK(value.response_body == "ab");
  CHECK(value.response_truncated);

  result = answered(500); // all there is, and not UTF-8
  result.body = "ab\xe2";
  value = classify(std::move(result), 1, {});
  CHECK(value.response_body == "ab\xe2");
  CHECK_FALSE(value.response_truncated);
}
