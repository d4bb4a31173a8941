#include "policy/connector_config.hpp"

#include <catch2/catch_test_macros.hpp>

#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

using namespace std::literals;

namespace vicket {

namespace {

connector good_connector() {
  connector settings;
  settings.id = {"crm-prod"};
  settings.url = "https://hooks.example.com/vicket";
  return settings;
}

struct row {
  std::function<void(connector&)> change;
  std::string complaint; ///< empty: allowed
};

void check(const std::vector<row>& table, const connector_rules& rules = {}) {
  for (std::size_t i = 0; i < table.size(); ++i) {
    auto settings = good_connector();
    table[i].change(settings);
    const auto complaint = connector_complaint(settings, rules);
    INFO("row " << i << ": " << complaint.value_or("allowed") << "; expected: " << table[i].complaint);
    CHECK(complaint.has_value() != table[i].complaint.empty());
    if (complaint)
      CHECK(complaint->find(table[i].complaint) != std::string::npos);
  }
}

row header(std::string name, std::string value, std::string complaint) {
  return {[=](connector& c) { c.headers = {{name, value}}; }, std::move(complaint)};
}

} // namespace

TEST_CASE("a connector with id and url alone is allowed") {
  CHECK_FALSE(connector_complaint(good_connector(), {}).has_value());
}

TEST_CASE("a complaint says which field, what was given and what is allowed") {
  check({
      {[](auto& c) { c.id = {""}; }, "id is \"\"; 1 to 64 characters"},
      {[](auto& c) { c.id = {std::string(65, 'x')}; }, "id is"},
      {[](auto& c) { c.id = {std::string(64, 'x')}; }, ""},
      {[](auto& c) { c.id = {"a b"}; }, "id is \"a b\""},
      {[](auto& c) { c.id = {"a\n\xff"}; }, "id is \"a?\xef\xbf\xbd\""},
      {[](auto& c) { c.name = std::string(256, 'x'); }, ""},
      {[](auto& c) { c.name = std::string(257, 'x'); }, "name has 257 bytes; at most 256"},
      {[](auto& c) { c.name = "CRM, Büro"; }, ""},
      {[](auto& c) { c.name = "\xff"; }, "name is not UTF-8 at byte 0"},
      {[](auto& c) { c.url = ""; }, "url: the URL must start with https://"},
      {[](auto& c) { c.url = "http://h.example/"; }, "url: the URL's scheme must be https"},
      {[](auto& c) { c.url = "https://127.0.0.1/"; },
       "url: deliveries may not go there: 127.0.0.1 is a loopback"},
      {[](auto& c) { c.url = "https://localhost/"; }, "url: deliveries may not go there"},
      {[](auto& c) { c.url = "https://h.example/{tenant}"; },
       "url: the URL's path or query has the character '{' at byte 18"},
      {[](auto& c) { c.secret = {"0123456789abcdef"}; }, ""},
      {[](auto& c) { c.secret = {"0123456789abcde"}; }, "secret: the secret has 15 characters; at least 16"},
      {[](auto& c) { c.secret = {"whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"}; }, ""},
      {[](auto& c) { c.secret = {"whsec_not*base64"}; }, "secret: the secret begins with whsec_"},
      {[](auto& c) { c.secret = {"hunter2 "}; }, "secret: the secret has something else"},
      {[](auto& c) { c.secret = {std::string(513, 'x')}; }, "secret: the secret has 513 bytes"},
      {[](auto& c) { c.secret = {"***"}; }, ""},
      {[](auto& c) { c.secret = {"****"}; }, "secret: the secret has 4 characters; at least 16"},
      {[](auto& c) { c.events = std::vector<std::string>(64, "*"); }, ""},
      {[](auto& c) { c.events = std::vector<std::string>(65, "*"); }, "events has 65 patterns"},
      {[](auto& c) {
         c.events = {"a", ""};
       },
       "events[1] is empty"},
      {[](auto& c) { c.events = {std::string(256, 'x')}; }, ""},
      {[](auto& c) { c.events = {std::string(257, 'x')}; }, "events[0] has 257 bytes"},
      {[](auto& c) { c.events = {"\xff"}; }, "events[0] is not UTF-8"},
      {[](auto& c) { c.filter_json = R"({"/a":{"matches":"^[a-z]+$"}})"; }, ""},
      {[](auto& c) { c.filter_json = R"({"not":{"/a":{"like":"x"}}})"; },
       "/filter/not/~1a/like: \"like\" is no operator"},
      {[](auto& c) { c.filter_json = " "; }, "/filter: is not valid JSON at line 1, column 2"},
      {[](auto& c) { c.filter_json = R"({"/a":{"eq":")" + std::string(65'536, 'x') + "\"}}"; },
       "/filter: has 65552 bytes; at most 16384"},
      {[](auto& c) {
         c.rate = {1, 1, 1};
       },
       ""},
      {[](auto& c) {
         c.rate = {1'000'000, 86'400'000, 1'000'000};
       },
       ""},
      {[](auto& c) {
         c.rate = {0, 1, 1};
       },
       "rate.limit is 0; 1 to 1000000 is allowed"},
      {[](auto& c) {
         c.rate = {1'000'001, 1, 1};
       },
       "rate.limit is 1000001"},
      {[](auto& c) {
         c.rate = {1, 0, 1};
       },
       "rate.per_ms is 0"},
      {[](auto& c) {
         c.rate = {1, 86'400'001, 1};
       },
       "rate.per_ms is 86400001"},
      {[](auto& c) {
         c.rate = {1, 1, 0};
       },
       "rate.burst is 0"},
      {[](auto& c) {
         c.rate = {1, 1, 1'000'001};
       },
       "rate.burst is 1000001"},
      {[](auto& c) { c.max_in_flight = 0; }, "max_in_flight is 0; 1 to 1024"},
      {[](auto& c) { c.max_in_flight = 1; }, ""},
      {[](auto& c) { c.max_in_flight = 1'024; }, ""},
      {[](auto& c) { c.max_in_flight = 1'025; }, "max_in_flight is 1025"},
      {[](auto& c) { c.timeout_ms = 99; }, "timeout_ms is 99; 100 to 10000"},
      {[](auto& c) { c.timeout_ms = 100; }, ""},
      {[](auto& c) { c.timeout_ms = 10'001; }, "timeout_ms is 10001"},
      {[](auto& c) { c.retry.base_ms = 0; }, "retry.base_ms is 0; 1 to 86400000"},
      {[](auto& c) { c.retry.base_ms = -1; }, "retry.base_ms is -1"},
      {[](auto& c) { c.retry.base_ms = 86'400'001; }, "retry.base_ms is 86400001"},
      {[](auto& c) { c.retry.cap_ms = 4'999; }, "retry.base_ms is 5000; at most retry.cap_ms, 4999"},
      {[](auto& c) { c.retry.cap_ms = 5'000; }, ""},
      {[](auto& c) { c.retry.cap_ms = 0; }, "retry.cap_ms is 0"},
      {[](auto& c) { c.retry.cap_ms = 604'800'000; }, ""},
      {[](auto& c) { c.retry.cap_ms = 604'800'001; }, "retry.cap_ms is 604800001"},
      {[](auto& c) { c.retry.factor = 1; }, ""},
      {[](auto& c) { c.retry.factor = 100; }, ""},
      {[](auto& c) { c.retry.factor = 0.99; }, "retry.factor is 0.99"},
      {[](auto& c) { c.retry.factor = 100.1; }, "retry.factor is 100.1"},
      {[](auto& c) { c.retry.factor = -2; }, "retry.factor is -2"},
      {[](auto& c) { c.retry.factor = std::numeric_limits<double>::quiet_NaN(); }, "retry.factor is"},
      {[](auto& c) { c.retry.factor = std::numeric_limits<double>::infinity(); }, "retry.factor is inf"},
      {[](auto& c) { c.retry.max_attempts = 10'000; }, ""},
      {[](auto& c) { c.retry.max_attempts = 10'001; }, "retry.max_attempts is 10001"},
      {[](auto& c) { c.retry.max_age_ms = 0; }, "retry.max_age_ms is 0"},
      {[](auto& c) { c.retry.max_age_ms = 2'592'000'000; }, ""},
      {[](auto& c) { c.retry.max_age_ms = 2'592'000'001; }, "retry.max_age_ms is 2592000001"},
  });
}

TEST_CASE("headers cannot replace the engine's own, speak about the connection, or smuggle a line") {
  std::vector<row> table{
      header("X-Team", "support", ""),
      header("x!#$%&'*+-.^_`|~9", "v", ""),
      header("X-Key", "Bearer a b\tc", ""),
      header("X-Empty", "", ""),
      header(std::string(128, 'x'), "v", ""),
      header(std::string(129, 'x'), "v", "has 129 bytes; at most 128"),
      header("X-Long", std::string(1'024, 'v'), ""),
      header("X-Long", std::string(1'025, 'v'), "the value of \"X-Long\" has 1025 bytes"),
      header("", "v", "no HTTP field name"),
      header("X Team", "v", "no HTTP field name"),
      header("X-Team:", "v", "no HTTP field name"),
      header("X-T\xc3\xa4m", "v", "no HTTP field name"),
      header("X-Team\r\nX-Other", "v", "no HTTP field name"),
      header("X-Team", "v\r\nX-Other: w", "at byte 1"),
      header("X-Team", "v\n", "at byte 1"),
      header("X-Team", "v\0"s, "at byte 1"),
      header("X-Team", "\x7f", "at byte 0"),
      header("X-Team", "\xc3\xa4", "at byte 0"),
      header("X-Webhook-Id", "v", ""),
      header("webhook", "v", ""),
      header("Proxy", "v", ""),
      header("Test", "v", ""),
      header("Accept", "application/json", ""),
      header("accept-encoding", "gzip, br", ""),
      header("Accept-Language", "de", ""),
      header("X-Team", " v", "begins or ends with a blank"),
      header("X-Team", "v ", "begins or ends with a blank"),
      header("X-Team", "v\t", "begins or ends with a blank"),
      header("X-Team", " ", "begins or ends with a blank"),
      header("X-Team", "v\r", "at byte 1"),
  };
  for (const auto reserved : {"X-Vicket-Signature"sv,
                              "x-vicket-signature"sv,
                              "webhook-id"sv,
                              "Webhook-Timestamp"sv,
                              "WEBHOOK-SIGNATURE"sv,
                              "webhook-anything"sv,
                              "Content-Type"sv,
                              "content-type"sv,
                              "User-Agent"sv,
                              "Content-Length"sv,
                              "Content-Encoding"sv,
                              "content-range"sv,
                              "HTTP2-Settings"sv,
                              "Host"sv,
                              "Connection"sv,
                              "Transfer-Encoding"sv,
                              "TE"sv,
                              "te"sv,
                              "Trailer"sv,
                              "Upgrade"sv,
                              "Expect"sv,
                              "Keep-Alive"sv,
                              "proxy-connection"sv})
    table.push_back(header(std::string{reserved}, "v", "cannot be set here"));
  table.push_back({[](auto& c) { c.headers = {{"X-A", "1"}, {"x-a", "2"}}; }, "there twice"});
  table.push_back({[](auto& c) { c.headers = {{"X-A", "1"}, {"X-B", "1"}}; }, ""});
  const auto many = [](int count) {
    return [count](connector& c) {
      for (int i = 0; i < count; ++i)
        c.headers.emplace_back("X-" + std::to_string(i), "v");
    };
  };
  table.push_back({many(32), ""});
  table.push_back({many(33), "headers has 33 entries; at most 32"});
  check(table);
}

TEST_CASE("no complaint repeats a secret or a header's value") {
  auto settings = good_connector();
  settings.secret = {"hunter2\n"};
  CHECK(connector_complaint(settings, {}).value().find("hunter2") == std::string::npos);
  settings = good_connector();
  settings.headers = {{"X-Key", "hunter2\n"}};
  CHECK(connector_complaint(settings, {}).value().find("hunter2") == std::string::npos);
  settings.headers = {{"Authorization", "hunter2"}};
  CHECK(connector_complaint(settings, {}).value().find("hunter2") == std::string::npos);
  settings.headers = {};
  settings.secret_headers = {{"Authorization", {"hunter2\n"}}};
  CHECK(connector_complaint(settings, {}).value().find("hunter2") == std::string::npos);
}

TEST_CASE("credentials are taken in secret_headers only, and the sentence names them") {
  std::vector<row> table;
  for (const auto name : {"Authorization", "authorization", "Proxy-Authorization", "COOKIE"}) {
    const auto refused =
        "headers: the name \"" + std::string{name} + "\" is a credential: put it into secret_headers";
    table.push_back(header(name, "v", refused));
    table.push_back({[name](connector& c) { c.secret_headers = {{name, {"v"}}}; }, ""});
    CHECK(is_credential_header(name));
  }
  CHECK_FALSE(is_credential_header("X-Authorization"));
  table.push_back(header("Set-Cookie", "v", ""));
  check(table);
}

TEST_CASE("secret headers are judged like headers, and both together") {
  const auto secret_header = [](std::string name, std::string value, std::string complaint) {
    return row{[=](connector& c) { c.secret_headers = {{name, {value}}}; }, std::move(complaint)};
  };
  const auto many = [](int count) {
    return [count](connector& c) {
      c.headers = {{"X-A", "v"}};
      for (int i = 0; i < count; ++i)
        c.secret_headers.emplace_back("X-" + std::to_string(i), "v");
    };
  };
  check({
      secret_header("X-Key", "v", ""),
      secret_header("X-Key", "***", ""),
      secret_header("X-Key", "", "secret_headers: the value of \"X-Key\" is empty"),
      secret_header("Content-Type", "v", "secret_headers: the name \"Content-Type\" is set by the engine"),
      secret_header("Proxy-Connection", "v", "cannot be set here"),
      secret_header("X-Key", std::string(1'024, 'v'), ""),
      secret_header("X-Key", std::string(1'025, 'v'),
                    "secret_headers: the value of \"X-Key\" has 1025 bytes"),
      secret_header("X-Key", "v\r\nX-Other: w", "at byte 1"),
      secret_header("X-Key", "\1sealed",
                    "at byte 0"), // nobody brings what looks as if the node had sealed it
      {[](connector& c) {
         c.headers = {{"X-Key", "1"}};
         c.secret_headers = {{"x-key", {"2"}}};
       },
       "secret_headers: the name \"x-key\" is there twice"},
      {many(31), ""},
      {many(32), "headers and secret_headers have 33 entries; at most 32"},
  });
}

TEST_CASE("http and local endpoints are allowed where the operator said so") {
  const connector_rules rules{true, address_guard{{ip_range::parse("127.0.0.0/8").value()}}};
  check(
      {
          {[](auto& c) { c.url = "http://127.0.0.1:8080/"; }, ""},
          {[](auto& c) { c.url = "https://localhost:8443/"; }, ""},
          {[](auto& c) { c.url = "http://10.0.0.1/"; }, "10.0.0.0/8"},
      },
      rules);
}

} // namespace vicket
