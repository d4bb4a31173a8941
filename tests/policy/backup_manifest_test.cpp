#include "policy/backup_manifest.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>
#include <utility>
#include <variant>
#include <vector>

using namespace vicket;

namespace {

backup_manifest some_manifest() {
  backup_manifest made;
  made.version = "1.2.3";
  made.made_at = timestamp_ms{1'779'537'600'000};
  made.folder_format = 3;
  made.partitions = 2;
  made.key_fingerprint = "00112233445566aa";
  made.cluster = backup_manifest::cluster_place{"3f1c", "node-a"};
  made.stores = {{"partition-0",
                  7,
                  42,
                  1'000,
                  3,
                  "0a0b",
                  {{"000012.sst", 18'446'744'073'709'551'615u, std::string(64, 'a')}}},
                 {"settings", 1, 2, 3, 1, "", {}}};
  return made;
}

std::string without(std::string text, const std::string& part, const std::string& instead = {}) {
  const auto at = text.find(part);
  REQUIRE(at != std::string::npos);
  return text.replace(at, part.size(), instead);
}

} // namespace

TEST_CASE("a manifest comes back as it was written", "[backup]") {
  auto is = some_manifest();
  CHECK(std::get<backup_manifest>(backup_manifest_from_json(backup_manifest_to_json(is))) == is);
  is.cluster = std::nullopt;
  CHECK(std::get<backup_manifest>(backup_manifest_from_json(backup_manifest_to_json(is) + "\n")) == is);
}

TEST_CASE("a manifest that is not whole, of a newer format, or names what is not its own, is refused",
          "[backup]") {
  const auto good = backup_manifest_to_json(some_manifest());
  const std::vector<std::pair<std::string, std::string>> wrong{
      {without(good, R"("format":1)", R"("format":2)"), "format 2"},
      {without(good, R"("partitions":2,)"), "lacks partitions"},
      {without(good, R"("partitions":2)", R"("partitions":-2)"), "partitions"},
      {without(good, R"("cluster":{)", R"("cluster":[{)"), ""},
      {without(good, R"("made_at":"2026)", R"("made_at":"x)"), "made_at"},
      {without(good, R"("000012.sst")", R"("../000012.sst")"), "name"},
      {without(good, R"("000012.sst")", R"("..")"), "name"},
      {without(good, R"("000012.sst")", R"("")"), "name"},
      {without(good, R"("partition-0")", R"("/etc")"), "name"},
      {without(good, R"("settings")", R"("partition-0")"), "twice"},
      {without(good, std::string(64, 'a'), std::string(63, 'a')), "sha256"},
      {without(good, std::string(64, 'a'), std::string(64, 'g')), "sha256"},
      {without(good, "0a0b", "0a0"), "position"},
      {good.substr(0, good.size() - 1), ""},
      {"", ""},
      {"[]", ""},
  };
  for (const auto& [text, why] : wrong) {
    INFO(text);
    const auto read = backup_manifest_from_json(text);
    REQUIRE(std::holds_alternative<std::string>(read));
    CHECK(std::get<std::string>(read).find(why) != std::string::npos);
  }
}
