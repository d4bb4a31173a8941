// The corpora through the same entry points, without a fuzzer: each input as it is, each of its beginnings, and some
// changes by chance. What a fuzzer has found becomes an input in its folder.

#include "link/frames.hpp"
#include "tests/fuzz/fuzz_target.hpp"
#include "tests/support/link_messages.hpp"

#include <catch2/catch_get_random_seed.hpp>
#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace {

std::vector<std::string> inputs_of(const std::filesystem::path& folder) {
  auto paths = std::set<std::filesystem::path>{};
  for (const auto& entry : std::filesystem::directory_iterator{folder})
    paths.insert(entry.path());
  auto result = std::vector<std::string>{};
  for (const auto& path : paths) {
    auto file = std::ifstream{path, std::ios::binary};
    result.emplace_back(std::istreambuf_iterator<char>{file}, std::istreambuf_iterator<char>{});
  }
  return result;
}

std::string changed(std::string input, const std::vector<std::string>& others, std::mt19937_64& random) {
  for (auto changes = 1 + random() % 4; changes > 0; --changes) {
    const auto at = random() % (input.size() + 1);
    const auto& other = others[random() % others.size()];
    switch (random() % 5) {
    case 0:
      input.insert(at, 1 + random() % 3, static_cast<char>(random()));
      break;
    case 1:
      input.erase(at, random() % 9);
      break;
    case 2:
      input.insert(at, other.substr(other.empty() ? 0 : random() % other.size(), random() % 20));
      break;
    case 3:
      input.insert(at, input.substr(at, random() % 40));
      break;
    default:
      if (at < input.size())
        input[at] = static_cast<char>(input[at] ^ (1 << random() % 8));
    }
  }
  return input;
}

} // namespace

TEST_CASE("whatever comes in from outside is read to an end") {
  REQUIRE(vicket::fuzz::targets().size() >= 13);
  auto random = std::mt19937_64{Catch::getSeed()};
  std::fprintf(stderr, "--rng-seed %u\n", Catch::getSeed()); // a target that fails ends the process
  for (const auto& target : vicket::fuzz::targets()) {
    DYNAMIC_SECTION(target.name) {
      const auto inputs = inputs_of(std::filesystem::path{VICKET_FUZZ_CORPUS} / target.name);
      REQUIRE(inputs.size() >= 3);
      for (const auto& input : inputs) {
        target.run(input);
        const auto step = 1 + input.size() / 300;
        for (auto size = std::size_t{0}; size < input.size(); size += step)
          target.run(std::string_view{input}.substr(0, size));
        for (auto i = 0; i < 300; ++i)
          target.run(changed(input, inputs, random));
      }
      SUCCEED(inputs.size() << " inputs");
    }
  }
}

TEST_CASE("each folder of the corpus has its target") {
  auto names = std::set<std::string>{};
  for (const auto& target : vicket::fuzz::targets())
    names.insert(target.name);
  for (const auto& entry : std::filesystem::directory_iterator{VICKET_FUZZ_CORPUS})
    CHECK(names.contains(entry.path().filename().string()));
}

TEST_CASE("the corpus has a link message of each kind, in both directions, as it is written today") {
  const auto folder = std::filesystem::path{VICKET_FUZZ_CORPUS} / "link_message";
  auto all = vicket::testing::valid_link_messages();
  for (auto& one : vicket::testing::valid_link_answers())
    all.push_back(std::move(one));
  for (const auto& message : all) {
    const auto kind = static_cast<unsigned char>(message[0]);
    const auto path = folder / ((kind & vicket::internal::answer_bit) != 0
                                    ? "answer_" + std::to_string(kind & ~vicket::internal::answer_bit)
                                    : "request_" + std::to_string(kind));
    if (std::getenv("VICKET_WRITE_CORPUS") != nullptr) // after a change of what is written
      std::ofstream{path, std::ios::binary} << message;
    auto file = std::ifstream{path, std::ios::binary};
    INFO(path << "; VICKET_WRITE_CORPUS=1 writes it");
    CHECK(std::string{std::istreambuf_iterator<char>{file}, std::istreambuf_iterator<char>{}} == message);
  }
}
