#include "policy/signer.hpp"

#include "policy/base64.hpp"
#include "policy/request_head.hpp"

#include <catch2/catch_test_macros.hpp>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

using namespace std::literals;

namespace vicket {

namespace {

constexpr std::int64_t signed_at = 1'716'475'271;

/// What follows `v1=`.
std::string hex_of(std::string_view secret, std::string_view body) {
  const auto header = vicket_signature(signing_key{secret}, signed_at, body);
  constexpr auto start = "hmac-sha256, t=1716475271, v1="sv;
  REQUIRE(header.starts_with(start));
  return header.substr(start.size());
}

// The example of the Standard Webhooks specification and its libraries.
constexpr auto example_secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"sv;
constexpr auto example_id = "msg_p5jXN8AQM9LWM0D4loKWxJek"sv;
constexpr std::int64_t example_time = 1'614'265'330;
constexpr auto example_body = R"({"test": 2432232314})"sv;
constexpr auto example_signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="sv;

} // namespace

TEST_CASE("every request carries an HMAC-SHA256 of the raw request body: the vectors of RFC 4231") {
  CHECK(hex_of(std::string(20, '\x0b'), "Hi There") ==
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  CHECK(hex_of("Jefe", "what do ya want for nothing?") ==
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  CHECK(hex_of(std::string(20, '\xaa'), std::string(50, '\xdd')) ==
        "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
  std::string counting;
  for (char c = 1; c <= 25; ++c)
    counting.push_back(c);
  CHECK(hex_of(counting, std::string(50, '\xcd')) ==
        "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b");
  CHECK(hex_of(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First") ==
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
  CHECK(hex_of(std::string(131, '\xaa'),
               "This is a test using a larger than block-size key and a larger than "
               "block-size data. The key needs to be hashed before being used by the HMAC "
               "algorithm.") == "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2");
}

TEST_CASE("keys and bodies of all lengths around SHA-256's blocks sign as OpenSSL's HMAC does") {
  for (std::size_t key_bytes = 0; key_bytes <= 130; key_bytes += key_bytes < 60 || key_bytes > 67 ? 13 : 1) {
    const std::string key(key_bytes, 'k');
    for (std::size_t body_bytes = 0; body_bytes <= 200; ++body_bytes) {
      std::string body(body_bytes, 'b');
      if (body_bytes > 0)
        body.back() = static_cast<char>(body_bytes);
      std::array<unsigned char, 32> mac{};
      unsigned size = 0;
      REQUIRE(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
                   reinterpret_cast<const unsigned char*>(body.data()), body.size(), mac.data(),
                   &size) != nullptr);
      std::string expected;
      for (const auto byte : mac)
        for (const auto nibble : {byte >> 4, byte & 15})
          expected += "0123456789abcdef"[nibble];
      if (hex_of(key, body) != expected)
        FAIL("a key of " << key_bytes << " bytes, a body of " << body_bytes);
    }
  }
  SUCCEED();
}

TEST_CASE("the product's signature is keyed with the secret's characters as they are, prefix and all") {
  CHECK(vicket_signature(signing_key{example_secret}, 1, example_body) ==
        "hmac-sha256, t=1, v1=80ec8a89ce3cd22133a1066caecb4d04fea7467657c8514d717ec42c38a5c94c");
}

TEST_CASE("the Standard Webhooks signature is keyed with the decoded part after whsec_") {
  const signing_key key{example_secret};
  CHECK(key.has_decoded_key());
  CHECK(standard_webhooks_signature(key, example_id, example_time, example_body) == example_signature);
}

TEST_CASE("a secret that carries no base64 key signs with its characters") {
  const signing_key plain{"plain"};
  CHECK_FALSE(plain.has_decoded_key());
  CHECK(standard_webhooks_signature(plain, "id", 5, "{}") ==
        "v1,lfdaGLcwo/STkoBclxeP53Lgk96LxhW3MK6uetSltEs=");
  const signing_key broken{"whsec_not*base64"};
  CHECK_FALSE(broken.has_decoded_key());
  CHECK(standard_webhooks_signature(broken, "id", 5, "{}") ==
        "v1,pTMFgW5gHJ5NwG4AKyip8fULzZpJZhykqhD73JH7KuA=");
  CHECK_FALSE(signing_key{"whsec_"}.has_decoded_key());
  CHECK(signing_key{"whsec_Zg=="}.has_decoded_key());
}

TEST_CASE("a secret signs with the same bytes however its base64 is written") {
  const auto expected = standard_webhooks_signature(signing_key{"whsec_++8="}, "id", 5, "{}");
  CHECK(expected != standard_webhooks_signature(signing_key{"++8="}, "id", 5, "{}"));
  for (const auto* same : {"whsec_++8", "whsec_--8=", "whsec_--8"}) {
    INFO(same);
    CHECK(signing_key{same}.has_decoded_key());
    CHECK(standard_webhooks_signature(signing_key{same}, "id", 5, "{}") == expected);
  }
}

TEST_CASE("a receiver accepts the product's signature within 300 s and nothing else") {
  const signing_key key{"s3cret"};
  const auto header = vicket_signature(key, signed_at, "{}");
  CHECK(verify_vicket_signature(key, header, "{}", signed_at));
  CHECK(verify_vicket_signature(key, header, "{}", signed_at + 300));
  CHECK(verify_vicket_signature(key, header, "{}", signed_at - 300));
  CHECK_FALSE(verify_vicket_signature(key, header, "{}", signed_at + 301));
  CHECK_FALSE(verify_vicket_signature(key, header, "{}", signed_at - 301));
  CHECK_FALSE(verify_vicket_signature(key, header, "{} ", signed_at));
  CHECK_FALSE(verify_vicket_signature(signing_key{"S3cret"}, header, "{}", signed_at));
  for (std::size_t i = 0; i < header.size(); ++i) {
    auto changed = header;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    INFO(changed);
    const bool only_time = i >= 15 && i < 25; // t is not covered: its own tolerance is all that bounds it
    if (!only_time)
      CHECK_FALSE(verify_vicket_signature(key, changed, "{}", signed_at));
  }
  for (const auto malformed : {""sv, "hmac-sha256"sv, "hmac-sha256, t=, v1="sv, "hmac-sha256, v1=, t=5"sv,
                               "hmac-sha256, t=99999999999999999999, v1=00"sv, ", v1=00"sv})
    CHECK_FALSE(verify_vicket_signature(key, malformed, "{}", signed_at));
  for (const auto extreme :
       {std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()})
    CHECK_FALSE(verify_vicket_signature(key, vicket_signature(key, extreme, "{}"), "{}", signed_at));
}

TEST_CASE(
    "a receiver accepts one fitting Standard Webhooks signature of several, for this id and time only") {
  const signing_key key{example_secret};
  const auto verify = [&](std::string_view id, std::string_view time, std::string_view signatures,
                          std::string_view body, std::int64_t now) {
    return verify_standard_webhooks_signature(key, id, time, signatures, body, now);
  };
  const auto now = example_time;
  CHECK(verify(example_id, "1614265330", example_signature, example_body, now));
  CHECK(verify(example_id, "1614265330", "v2,xyz v1,AAAA " + std::string{example_signature}, example_body,
               now + 300));
  CHECK(verify(example_id, "1614265330", std::string{example_signature} + " v1a,x", example_body, now - 300));
  CHECK_FALSE(verify(example_id, "1614265330", example_signature, example_body, now + 301));
  CHECK_FALSE(verify(example_id, "1614265330", example_signature, example_body, now - 301));
  CHECK_FALSE(verify(example_id, "1614265331", example_signature, example_body, now));
  CHECK_FALSE(verify("msg_other", "1614265330", example_signature, example_body, now));
  CHECK_FALSE(verify(example_id, "1614265330", example_signature, "{}", now));
  CHECK_FALSE(verify(example_id, "1614265330", "", example_body, now));
  CHECK_FALSE(verify(example_id, "1614265330", "v1,", example_body, now));
  CHECK_FALSE(verify(example_id, "1614265330", example_signature.substr(3), example_body, now));
  CHECK_FALSE(verify(example_id, "", example_signature, example_body, now));
  CHECK_FALSE(verify(example_id, "1614265330 ", example_signature, example_body, now));
}

TEST_CASE("one key signs in several threads at once") {
  const signing_key key{example_secret};
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, copy = key] {
      for (int i = 0; i < 2'000; ++i) {
        if (standard_webhooks_signature(key, example_id, example_time, example_body) != example_signature)
          ++wrong;
        if (!verify_vicket_signature(copy, vicket_signature(key, i, "{}"), "{}", i))
          ++wrong;
      }
    });
  for (auto& thread : threads)
    thread.join();
  CHECK(wrong == 0);
}

TEST_CASE("a request's header lines are the engine's, the connector's and the signatures") {
  connector settings;
  settings.headers = {{"X-Team", "support"}};
  opened_secrets opened;
  opened.headers = {{"Authorization", secret_bytes{"Bearer x y"}}, {"X-Key", secret_bytes{"k"}}};
  const auto id = event_id::parse("9f2c1b7e-0000-7000-8000-000000000001").value();
  const signing_key key{"s3cret"};
  const auto constant = "Content-Type: application/json\r\n"
                        "User-Agent: Vicket-Webhooks/0.1.0\r\n"
                        "Accept: */*\r\n"
                        "Accept-Encoding: identity\r\n"
                        "X-Team: support\r\n"
                        "Authorization: Bearer x y\r\n"
                        "X-Key: k\r\n"
                        "Content-Length: 2\r\n"
                        "X-Vicket-Signature: " +
                        vicket_signature(key, signed_at, "{}") + "\r\n";
  CHECK(request_head{settings, opened, "0.1.0"}.header_lines(id, signed_at, "{}", key) ==
        constant + "webhook-id: 9f2c1b7e-0000-7000-8000-000000000001\r\nwebhook-timestamp: 1716475271\r\n" +
            "webhook-signature: " +
            standard_webhooks_signature(key, "9f2c1b7e-0000-7000-8000-000000000001", signed_at, "{}") +
            "\r\n");

  settings.standard_webhooks = false;
  CHECK(request_head{settings, opened, "0.1.0"}.header_lines(id, signed_at, "{}", key) == constant);
}

TEST_CASE("a request says what answers it takes, unless the connector says it, each once") {
  struct row {
    std::vector<std::pair<std::string, std::string>> headers;
    std::string_view lines; ///< between User-Agent and Content-Length
  };
  const std::vector<row> table{
      {{}, "Accept: */*\r\nAccept-Encoding: identity\r\n"},
      {{{"X-A", "1"}}, "Accept: */*\r\nAccept-Encoding: identity\r\nX-A: 1\r\n"},
      {{{"Accept", "application/json"}}, "Accept-Encoding: identity\r\nAccept: application/json\r\n"},
      {{{"accept", "text/plain"}}, "Accept-Encoding: identity\r\naccept: text/plain\r\n"},
      {{{"Accept-Encoding", "gzip"}}, "Accept: */*\r\nAccept-Encoding: gzip\r\n"},
      {{{"ACCEPT-ENCODING", "br"}, {"aCCept", "*/*;q=0.1"}}, "ACCEPT-ENCODING: br\r\naCCept: */*;q=0.1\r\n"},
      {{{"Accept", ""}}, "Accept-Encoding: identity\r\nAccept: \r\n"},
      {{{"Accept-Language", "de"}}, "Accept: */*\r\nAccept-Encoding: identity\r\nAccept-Language: de\r\n"},
      {{{"Accept-Charset", "utf-8"}},
       "Accept: */*\r\nAccept-Encoding: identity\r\nAccept-Charset: utf-8\r\n"},
      {{{"X-Accept", "1"}}, "Accept: */*\r\nAccept-Encoding: identity\r\nX-Accept: 1\r\n"},
  };
  const signing_key key{"s3cret"};
  for (const auto& [headers, lines] : table) {
    connector settings;
    settings.headers = headers;
    const auto text = request_head{settings, {}, "0.1.0"}.header_lines({}, signed_at, "{}", key);
    INFO(text);
    CHECK(text.starts_with("Content-Type: application/json\r\nUser-Agent: Vicket-Webhooks/0.1.0\r\n" +
                           std::string{lines} + "Content-Length: 2\r\n"));
    // The same when they are secret.
    opened_secrets opened;
    for (const auto& [name, value] : headers)
      opened.headers.emplace_back(name, secret_bytes{value});
    const request_head head{{}, opened, "0.1.0"};
    CHECK(head.header_lines({}, signed_at, "{}", key) == text);
  }
}

TEST_CASE("lines with secrets grow nowhere: no copy of them is left behind") {
  const signing_key key{"s3cret"};
  opened_secrets opened;
  connector settings;
  for (int i = 0; i < 16; ++i) {
    settings.headers.emplace_back("X-" + std::to_string(i), std::string(1'024, 'v'));
    opened.headers.emplace_back("Y-" + std::to_string(i), secret_bytes{std::string(1'024, 's')});
  }
  const auto lines =
      request_head{settings, opened, "0.1.0"}.header_lines({}, 999'999'999'999, std::string(9, 'x'), key);
  CHECK(lines.capacity() - lines.size() < 320); // what was reserved once, and not doubled
}

} // namespace vicket
