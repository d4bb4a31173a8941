#include "apps/received_request.hpp"

#include <catch2/catch_test_macros.hpp>

#include <map>
#include <string>
#include <vector>

using namespace vicket;

namespace {

using check = received_request::check;
using header_map = std::map<std::string, std::string>;

const std::string secret = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";
const std::string body = R"({"id":"9f2c1b7e-0000-4000-8000-000000000001","event":"ticket.opened","data":{}})";
constexpr std::int64_t sent_s = 1'716'475'271;

header_map signed_headers() {
  const signing_key key{secret};
  return {{"X-Vicket-Signature", vicket_signature(key, sent_s, body)},
          {"webhook-id", "9f2c1b7e-0000-4000-8000-000000000001"},
          {"webhook-timestamp", std::to_string(sent_s)},
          {"webhook-signature",
           standard_webhooks_signature(key, "9f2c1b7e-0000-4000-8000-000000000001", sent_s, body)}};
}

received_request examine(const header_map& headers, const std::string& received_body, std::int64_t now_s) {
  return examine_request(
      signing_key{secret}, "/hook", received_body,
      [&](const char* name) {
        const auto found = headers.find(name);
        return found == headers.end() ? std::string{} : found->second;
      },
      timestamp_ms{now_s * 1'000});
}

} // namespace

TEST_CASE("a receiver believes a request whose signatures fit and are not older than 300 s") {
  const auto good = signed_headers();
  auto only_ours = good;
  only_ours.erase("webhook-signature");
  auto only_standard = good;
  only_standard.erase("X-Vicket-Signature");
  auto other_id = good;
  other_id["webhook-id"] = "9f2c1b7e-0000-4000-8000-000000000002";
  struct row {
    const char* what;
    header_map headers;
    std::string body;
    std::int64_t now_s;
    check signature;
    check standard_webhooks;
    bool genuine;
  };
  const std::vector<row> rows{
      {"as sent", good, body, sent_s, check::valid, check::valid, true},
      {"300 s old", good, body, sent_s + 300, check::valid, check::valid, true},
      {"301 s old", good, body, sent_s + 301, check::invalid, check::invalid, false},
      {"301 s in the future", good, body, sent_s - 301, check::invalid, check::invalid, false},
      {"another body", good, body + " ", sent_s, check::invalid, check::invalid, false},
      {"without Standard Webhooks", only_ours, body, sent_s, check::valid, check::missing, true},
      {"without our own", only_standard, body, sent_s, check::missing, check::valid, false},
      {"another webhook-id", other_id, body, sent_s, check::valid, check::invalid, false},
      {"no headers at all", {}, body, sent_s, check::missing, check::missing, false},
  };
  for (const auto& one : rows) {
    INFO(one.what);
    const auto request = examine(one.headers, one.body, one.now_s);
    CHECK(request.signature == one.signature);
    CHECK(request.standard_webhooks == one.standard_webhooks);
    CHECK(request.genuine() == one.genuine);
    CHECK(request.event == "ticket.opened");
  }
}

TEST_CASE("a body that is no envelope is examined all the same") {
  for (const auto* odd : {"", "[]", "{", "{\"id\":7}", "\xFF"})
    CHECK(examine(signed_headers(), odd, sent_s).id.empty());
}

TEST_CASE("numbers that no double holds are part of an envelope like others") {
  for (const auto& number : {std::string{"1e400"}, std::string(400, '9')}) {
    const auto request =
        examine(signed_headers(), R"({"id":"i","event":"e","data":{"id":"x","n":)" + number + "}}", sent_s);
    CHECK(request.id == "i");
    CHECK(request.event == "e");
  }
}
