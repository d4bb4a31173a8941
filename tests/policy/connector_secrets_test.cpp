#include "policy/connector_secrets.hpp"

#include <catch2/catch_test_macros.hpp>

#include <functional>
#include <string>
#include <vector>

namespace vicket {

namespace {

secret_box box_of(char c) {
  return secret_box{secret_bytes{std::string(secret_box::key_bytes, c)}};
}

connector plain_connector() {
  connector settings;
  settings.id = {"crm"};
  settings.secret = {"hunter2-hunter2-hunter2"};
  settings.headers = {{"X-Team", "support"}};
  settings.secret_headers = {{"Authorization", {"Bearer hunter3"}}, {"X-Key", {"hunter4"}}};
  return settings;
}

connector sealed_connector(const secret_box& box) {
  auto settings = plain_connector();
  seal_secrets(settings, box);
  return settings;
}

} // namespace

TEST_CASE("a connector's secrets are sealed, each for its place, and opened with the same key alone") {
  const auto box = box_of('k');
  CHECK_FALSE(secrets_are_sealed(plain_connector()));
  const auto sealed = sealed_connector(box);
  CHECK(secrets_are_sealed(sealed));
  CHECK(secrets_are_sealed({})); // there are none
  for (const auto* text :
       {&sealed.secret, &sealed.secret_headers[0].second, &sealed.secret_headers[1].second})
    CHECK(text->value.find("hunter") == std::string::npos);
  CHECK(sealed.headers == plain_connector().headers);
  const auto opened = open_secrets(sealed, box);
  REQUIRE(opened);
  CHECK(opened->secret.view() == "hunter2-hunter2-hunter2");
  REQUIRE(opened->headers.size() == 2);
  CHECK(opened->headers[0].first == "Authorization");
  CHECK(opened->headers[0].second.view() == "Bearer hunter3");
  CHECK(opened->headers[1].second.view() == "hunter4");
  CHECK_FALSE(open_secrets(sealed, box_of('l')));
}

TEST_CASE("what was sealed for one place can't be put into another") {
  const auto box = box_of('k');
  const std::vector<std::function<void(connector&)>> moves{
      [](connector& c) { c.id = {"other"}; },
      [](connector& c) { c.secret = c.secret_headers[0].second; },
      [](connector& c) { c.secret_headers[0].second = c.secret; },
      [](connector& c) { std::swap(c.secret_headers[0].second, c.secret_headers[1].second); },
      [](connector& c) { c.secret_headers[0].first = "X-Shown"; },
      [](connector& c) { c.secret_headers[0].second.value.back() ^= 1; },
      [](connector& c) { c.secret = plain_connector().secret; },
  };
  for (const auto& move : moves) {
    auto settings = sealed_connector(box);
    move(settings);
    CHECK_FALSE(open_secrets(settings, box));
  }
  auto settings = sealed_connector(box);
  settings.secret_headers[0].first = "AUTHORIZATION"; // the same header
  CHECK(open_secrets(settings, box));
}

TEST_CASE("*** keeps what there is, and is refused where there is nothing") {
  const auto box = box_of('k');
  const auto known = sealed_connector(box);
  struct row {
    std::function<void(connector&)> change;
    bool exists = true;
    std::string complaint; ///< empty: kept
  };
  const std::vector<row> table{
      {[](connector&) {}, true, ""},
      {[](connector& c) { c.secret = {}; }, true, ""},
      {[](connector& c) { c.secret_headers[0].first = "authorization"; }, true, ""},
      {[](connector& c) { c.secret_headers[1].first = "X-Other"; }, true,
       "secret_headers.X-Other: \"***\" keeps the one that there is, and 'crm' has none"},
      {[](connector&) {}, false, "secret: \"***\" keeps the one that there is, and 'crm' does not exist"},
      {[](connector& c) { c.secret = {}; }, false, "secret_headers.Authorization: \"***\" keeps"},
  };
  for (const auto& [change, exists, complaint] : table) {
    auto settings = plain_connector();
    settings.secret = {"***"};
    for (auto& header : settings.secret_headers)
      header.second = {"***"};
    change(settings);
    seal_secrets(settings, box); // leaves *** alone
    const auto refused = keep_secrets(settings, exists ? &known : nullptr);
    INFO(refused.value_or("kept") << "; expected: " << complaint);
    CHECK(refused.has_value() != complaint.empty());
    if (refused) {
      CHECK(refused->find(complaint) != std::string::npos);
      continue;
    }
    CHECK(secrets_are_sealed(settings));
    const auto opened = open_secrets(settings, box);
    REQUIRE(opened);
    CHECK(opened->secret.view() == "hunter2-hunter2-hunter2");
    CHECK(opened->headers[0].second.view() == "Bearer hunter3");
  }
  // What is given anew is taken, what is left out is gone.
  connector changed;
  changed.id = {"crm"};
  changed.secret = {"another-secret-of-mine"};
  changed.secret_headers = {{"X-Key", {"***"}}};
  seal_secrets(changed, box);
  CHECK_FALSE(keep_secrets(changed, &known));
  const auto opened = open_secrets(changed, box);
  REQUIRE(opened);
  CHECK(opened->secret.view() == "another-secret-of-mine");
  REQUIRE(opened->headers.size() == 1);
  CHECK(opened->headers[0].second.view() == "hunter4");
  // None of its own, and none to keep: the node makes one.
  changed.secret = {};
  changed.secret_headers.clear();
  CHECK_FALSE(keep_secrets(changed, nullptr));
  CHECK(changed.secret.empty());
}

TEST_CASE("secrets are sealed with another key, and opened with that alone") {
  const auto old_box = box_of('k');
  const auto new_box = box_of('l');
  auto settings = sealed_connector(old_box);
  CHECK_FALSE(reseal_secrets(settings, new_box, old_box));
  settings = sealed_connector(old_box);
  REQUIRE(reseal_secrets(settings, old_box, new_box));
  CHECK_FALSE(open_secrets(settings, old_box));
  REQUIRE(open_secrets(settings, new_box));
  CHECK(open_secrets(settings, new_box)->headers[1].second.view() == "hunter4");
}

TEST_CASE("an older version's connector is taken over, and given back") {
  const auto box = box_of('k');
  connector old;
  old.id = {"crm"};
  old.secret = {"hunter2-hunter2-hunter2"};
  old.headers = {{"X-Team", "support"}, {"authorization", "Bearer hunter3"}, {"Cookie", "a=b"}};
  auto settings = old;
  move_credentials(settings);
  CHECK(settings.headers == std::vector<std::pair<std::string, std::string>>{{"X-Team", "support"}});
  REQUIRE(settings.secret_headers.size() == 2);
  CHECK(settings.secret_headers[0].first == "authorization");
  seal_secrets(settings, box);
  CHECK(open_secrets(settings, box)->headers[0].second.view() == "Bearer hunter3");
  REQUIRE(unseal_secrets(settings, box));
  CHECK(settings == old);
  CHECK_FALSE(unseal_secrets(settings = sealed_connector(box), box_of('l')));
}

} // namespace vicket
