#include "net/upgrade_rules.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace vicket::internal;

namespace {

request_head good() {
  return {"GET",
          "/v1/link",
          true,
          {{"Host", "x"},
           {"upgrade", "WebSocket"},
           {"Connection", "keep-alive, Upgrade"},
           {"Sec-WebSocket-Version", "13"},
           {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="},
           {"Sec-WebSocket-Protocol", "other, vicket.caf.1"}}};
}

void set(request_head& head, const std::string& name, const std::string& value) {
  for (auto& [key, text] : head.fields)
    if (key == name) {
      text = value;
      return;
    }
  head.fields.emplace_back(name, value);
}

unsigned judged(const request_head& head) {
  return judge_upgrade(head, "/v1/link", {"vicket.caf.1", "vicket.json.1"}).status;
}

} // namespace

TEST_CASE("nothing but an upgrade to a known sub-protocol is served", "[net]") {
  CHECK(judged(good()) == 101);
  CHECK(judge_upgrade(good(), "/v1/link", {"vicket.caf.1"}).sub_protocol == "vicket.caf.1");

  struct row {
    const char* what;
    void (*change)(request_head&);
    unsigned status;
  };
  for (const auto& [what, change, status] : {
           row{"another path", [](request_head& h) { h.target = "/"; }, 404},
           row{"a query", [](request_head& h) { h.target = "/v1/link?x"; }, 404},
           row{"a browser", [](request_head& h) { set(h, "ORIGIN", "https://x"); }, 403},
           row{"an empty Origin", [](request_head& h) { set(h, "Origin", ""); }, 403},
           row{"a post", [](request_head& h) { h.method = "POST"; }, 400},
           row{"HTTP/1.0", [](request_head& h) { h.http_1_1 = false; }, 400},
           row{"no Upgrade", [](request_head& h) { set(h, "upgrade", ""); }, 426},
           row{"another Upgrade", [](request_head& h) { set(h, "upgrade", "h2c"); }, 426},
           row{"no Connection: upgrade", [](request_head& h) { set(h, "Connection", "close"); }, 426},
           row{"an old version", [](request_head& h) { set(h, "Sec-WebSocket-Version", "8"); }, 426},
           row{"no key", [](request_head& h) { set(h, "Sec-WebSocket-Key", ""); }, 400},
           row{"two keys", [](request_head& h) { h.fields.emplace_back("Sec-WebSocket-Key", "x"); }, 400},
           row{"a body", [](request_head& h) { set(h, "Content-Length", "1"); }, 400},
           row{"no body", [](request_head& h) { set(h, "Content-Length", "0"); }, 101},
           row{"chunks", [](request_head& h) { set(h, "Transfer-Encoding", "chunked"); }, 400},
           row{"no sub-protocol", [](request_head& h) { set(h, "Sec-WebSocket-Protocol", ""); }, 400},
           row{"an unknown one", [](request_head& h) { set(h, "Sec-WebSocket-Protocol", "vicket.caf.2"); },
               400},
           row{"in another case", [](request_head& h) { set(h, "Sec-WebSocket-Protocol", "Vicket.caf.1"); },
               400},
           row{"the other one", [](request_head& h) { set(h, "Sec-WebSocket-Protocol", "vicket.json.1"); },
               101},
       }) {
    CAPTURE(what);
    auto head = good();
    change(head);
    CHECK(judged(head) == status);
  }
}

TEST_CASE("a list has its items without white space and empty ones", "[net]") {
  CHECK(list_items(" a ,,b\t, c d ,") == std::vector<std::string>{"a", "b", "c d"});
  CHECK(list_items("").empty());
}
