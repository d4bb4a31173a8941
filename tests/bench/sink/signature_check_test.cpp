#include "bench/sink/signature_check.hpp"

#include "policy/signer.hpp"
#include "tests/bench/sink/engine_request.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>

using namespace vicket::bench;
using namespace vicket::testing;

namespace {

constexpr std::int64_t sent_s = 1'716'475'271;

/// The engine's request as the sink reads it.
struct received {
  std::string text;
  request value;

  explicit received(std::string_view secret = engine_secret, unsigned number = 1)
      : text{engine_request("/ok/1", number, sent_s, secret)}, value{request_parser{}.parse(text).value} {}
};

bool genuine(const request& value, std::string_view secret = engine_secret, std::int64_t now_s = sent_s) {
  return signature_check{std::string{secret}}.genuine(value, value.body, now_s);
}

} // namespace

TEST_CASE("the sink finds what the engine signs genuine, though both were written apart") {
  for (const auto* secret : {engine_secret, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "plain", "whsec_",
                             "whsec_not*base64", "whsec_Zg==", "whsec_Zm8=", "whsec_Zg=", "x"}) {
    INFO(secret);
    const received sent{secret};
    CHECK(genuine(sent.value, secret));
    CHECK_FALSE(genuine(sent.value, std::string{secret} + "x"));
  }
}

TEST_CASE("signatures that neither the sink nor the engine made are found genuine") {
  // Made with Python's hmac module, from the text of the interface.
  request value;
  const std::string body = R"({"id":"msg_p5jXN8AQM9LWM0D4loKWxJek","test":1})";
  value.webhook_id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
  value.webhook_timestamp = "1614265330";
  value.vicket_signature =
      "hmac-sha256, t=1614265330, v1=b72e96acad2ed7567e49b90014cd6e119aca94b278ef3b6cac9f95d733215d42";
  value.webhook_signature = "v1,MBhPpUDss+ZPoGBHHLDU7YaVvhZnRXLLUDSkVmgFOj8=";
  value.body = body;
  CHECK(genuine(value, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 1'614'265'330));
}

TEST_CASE("a request of which anything is wrong is forged") {
  const received sent;
  const received other{engine_secret, 2};
  REQUIRE(genuine(sent.value));
  const auto with = [&](auto change) {
    auto value = sent.value;
    change(value);
    return genuine(value);
  };
  CHECK_FALSE(with([&](request& r) { r.body = other.value.body; }));
  CHECK_FALSE(with([](request& r) { r.body = {}; }));
  CHECK_FALSE(with([](request& r) { r.webhook_id = {}; }));
  CHECK_FALSE(with([&](request& r) { r.webhook_id = other.value.webhook_id; }));
  CHECK_FALSE(with([&](request& r) { r.vicket_signature = other.value.vicket_signature; }));
  CHECK_FALSE(with([](request& r) { r.vicket_signature = {}; }));
  CHECK_FALSE(with([](request& r) { r.vicket_signature = "hmac-sha256, t=1716475271"; }));
  CHECK_FALSE(with([](request& r) { r.vicket_signature = r.vicket_signature.substr(13); }));
  CHECK_FALSE(with([](request& r) { r.vicket_signature.remove_suffix(1); }));
  CHECK_FALSE(with([&](request& r) { r.webhook_signature = other.value.webhook_signature; }));
  CHECK_FALSE(with([](request& r) { r.webhook_signature = {}; }));
  CHECK_FALSE(with([](request& r) { r.webhook_signature = r.webhook_signature.substr(3); }));
  CHECK_FALSE(with([](request& r) { r.webhook_timestamp = "1716475272"; }));
  CHECK_FALSE(with([](request& r) { r.webhook_timestamp = {}; }));
}

TEST_CASE("a body that names another event than the header is forged, however well it is signed") {
  const vicket::signing_key key{engine_secret};
  const auto id = engine_id(1);
  const auto signed_for = [&](const std::string& body) {
    const auto vicket_signature = vicket::vicket_signature(key, sent_s, body);
    const auto standard_signature = vicket::standard_webhooks_signature(key, id, sent_s, body);
    request value;
    value.webhook_id = id;
    value.webhook_timestamp = "1716475271";
    value.vicket_signature = vicket_signature;
    value.webhook_signature = standard_signature;
    value.body = body;
    return genuine(value);
  };
  CHECK(signed_for(engine_body(1)));
  CHECK(signed_for(R"({"id":")" + id + R"("})"));
  CHECK_FALSE(signed_for(engine_body(2)));
  CHECK_FALSE(signed_for(R"({"event":"a","id":")" + id + R"("})"));
  CHECK_FALSE(signed_for(R"({ "id":")" + id + R"("})"));
  CHECK_FALSE(signed_for(R"({"id":")" + id + R"(x"})"));
  CHECK_FALSE(signed_for(""));
}

TEST_CASE("a signature is good for 300 s, before and after its time") {
  const received sent;
  CHECK(genuine(sent.value, engine_secret, sent_s + 300));
  CHECK(genuine(sent.value, engine_secret, sent_s - 300));
  CHECK_FALSE(genuine(sent.value, engine_secret, sent_s + 301));
  CHECK_FALSE(genuine(sent.value, engine_secret, sent_s - 301));
}
