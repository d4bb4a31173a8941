#include "policy/secret_box.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <array>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace vicket {

namespace {

secret_box box_of(char fill) {
  return secret_box{secret_bytes{std::string(secret_box::key_bytes, fill)}};
}

std::string opened(const secret_box& box, std::string_view sealed, std::string_view place) {
  const auto text = box.open(sealed, place);
  return text ? std::string{text->view()} : "(not opened)";
}

std::string from_hex(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2)
    result += static_cast<char>(std::stoi(std::string{text.substr(i, 2)}, nullptr, 16));
  return result;
}

/// The flags of the mapping that `at` is in, as /proc/self/smaps has them.
std::string flags_of_mapping(const void* at) {
  std::ifstream maps{"/proc/self/smaps"};
  auto inside = false;
  for (std::string line; std::getline(maps, line);) {
    std::istringstream fields{line};
    auto begin = std::uintptr_t{0};
    auto end = std::uintptr_t{0};
    auto dash = '\0';
    if (line.find('-') != std::string::npos && (fields >> std::hex >> begin >> dash >> end) && dash == '-')
      inside = begin <= reinterpret_cast<std::uintptr_t>(at) && reinterpret_cast<std::uintptr_t>(at) < end;
    else if (inside && line.starts_with("VmFlags:"))
      return line;
  }
  return {};
}

} // namespace

TEST_CASE("what was sealed for a place is opened for it, with the same key") {
  const auto box = box_of('k');
  for (const auto size : {0u, 1u, 15u, 16u, 17u, 512u, 100'000u}) {
    const std::string text(size, 's');
    const auto sealed = box.seal(text, "crm/secret");
    CHECK(sealed.size() == size + secret_box::overhead_bytes);
    CHECK(opened(box, sealed, "crm/secret") == text);
    CHECK(opened(box, sealed, "erp/secret") == "(not opened)");
    CHECK(opened(box, sealed, "") == "(not opened)");
    CHECK(opened(box_of('l'), sealed, "crm/secret") == "(not opened)");
    CHECK((size < 8 || sealed.find(text.substr(0, 8)) == std::string::npos));
  }
}

TEST_CASE("the form is AES-256-GCM's, so that another program could open it") {
  // NIST's test case 16 of the GCM specification
  const auto key = from_hex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
  const auto nonce = from_hex("cafebabefacedbaddecaf888");
  const auto place = from_hex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
  const auto cipher = from_hex(
      "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838"
      "c5f61e6393ba7a0abcc9f662");
  const auto tag = from_hex("76fc6ece0f4e1768cddf8853bb2d551b");
  const auto text = from_hex(
      "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525"
      "b16aedf5aa0de657ba637b39");
  const secret_box box{secret_bytes{key}};
  CHECK(opened(box, "\1" + nonce + cipher + tag, place) == text);
}

TEST_CASE("a byte that was changed, cut off or added keeps it closed") {
  const auto box = box_of('k');
  const auto sealed = box.seal("whsec_AAAA", "crm/secret");
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    auto changed = sealed;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    REQUIRE(opened(box, changed, "crm/secret") == "(not opened)");
    REQUIRE(opened(box, sealed.substr(0, i), "crm/secret") == "(not opened)");
  }
  CHECK(opened(box, sealed + "x", "crm/secret") == "(not opened)");
}

TEST_CASE("no two are alike, also of the same text") {
  const auto box = box_of('k');
  std::set<std::string> all;
  for (auto i = 0; i < 1'000; ++i)
    all.insert(box.seal("same", "crm/secret"));
  CHECK(all.size() == 1'000);
}

TEST_CASE("a key has a fingerprint that tells it from others and does not contain it") {
  CHECK(box_of('k').fingerprint() == box_of('k').fingerprint());
  CHECK(box_of('k').fingerprint() != box_of('l').fingerprint());
  CHECK(box_of('k').fingerprint().size() == 16);
}

TEST_CASE("secrets lie in pages that are not dumped, and are zero when they are let go") {
  const auto* where = static_cast<const char*>(nullptr);
  auto size = std::size_t{0};
  const auto before = secret_memory_in_use().in_use_bytes;
  {
    const secret_bytes secret{"whsec_0123456789012345678901234567890123456789"};
    where = secret.view().data();
    size = secret.size();
    CHECK(flags_of_mapping(where).find(" dd") != std::string::npos); // "do not dump"
    CHECK(secret_memory_in_use().in_use_bytes == before + 64);
  }
  CHECK(secret_memory_in_use().in_use_bytes == before);
  // (the pages stay; the first bytes are the place's in the list of what is free)
  CHECK(std::all_of(where + sizeof(void*), where + size, [](char c) { return c == '\0'; }));
}

TEST_CASE("secrets are values: copied, moved and compared") {
  secret_bytes a{"one"};
  const auto b = a;
  CHECK(a == b);
  CHECK(a.view().data() != b.view().data());
  const auto c = std::move(a);
  CHECK(c.view() == "one");
  CHECK(a.empty());
  a = c;
  CHECK(a == b);
  CHECK(!(a == secret_bytes{"onE"}));
  CHECK(!(a == secret_bytes{"one more"}));
  CHECK(secret_bytes{} == secret_bytes{""});
}

TEST_CASE("memory of secrets is used again, of every size") {
  for (auto round = 0; round < 3; ++round) {
    std::vector<secret_bytes> all;
    for (std::size_t size = 1; size <= 100'000; size = size * 3 + 1)
      for (auto i = 0; i < 20; ++i)
        all.emplace_back(std::string(size, static_cast<char>('a' + i)));
    auto i = 0;
    for (const auto& one : all)
      REQUIRE(one.view() == std::string(one.size(), static_cast<char>('a' + i++ % 20)));
  }
  const auto pages = secret_memory_in_use().page_bytes;
  std::vector<secret_bytes> again;
  for (auto i = 0; i < 20; ++i)
    again.emplace_back(std::string(40, 'x'));
  CHECK(secret_memory_in_use().page_bytes == pages);
}

} // namespace vicket
