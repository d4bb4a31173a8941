#include "apps/file_reading.hpp"

#include <catch2/catch_test_macros.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <future>
#include <memory>
#include <optional>
#include <string>

using namespace vicket;

namespace {

/// Files on a mount that hangs until it is told to go on. Outlives who reads them.
struct mount {
  std::array<std::promise<void>, 2> begun;
  std::array<std::promise<void>, 2> may_end;
  std::array<std::promise<std::string>, 2> told;
  std::promise<void> let_go; ///< by who reads them
  std::size_t reads = 0;     ///< of the reading thread
};

file_reading reading_of(const std::shared_ptr<mount>& files) {
  const std::shared_ptr<void> kept{nullptr, [files](void*) { files->let_go.set_value(); }};
  return file_reading{[files, kept]() -> file_reading::complaint {
                        const auto mine = files->reads++;
                        files->begun.at(mine).set_value();
                        files->may_end.at(mine).get_future().wait();
                        return "read " + std::to_string(mine);
                      },
                      [files, count = std::size_t{0}](const file_reading::complaint& why) mutable {
                        files->told.at(count++).set_value(*why);
                      }};
}

} // namespace

TEST_CASE(
    "who asks for files that hang goes on, and they are read once more where that was asked for meanwhile") {
  const auto files = std::make_shared<mount>();
  auto reading = reading_of(files);
  CHECK(reading.begin());
  files->begun[0].get_future().wait();
  CHECK_FALSE(reading.begin());
  CHECK_FALSE(reading.begin()); // once more, not twice
  files->may_end[0].set_value();
  CHECK(files->told[0].get_future().get() == "read 0");
  files->begun[1].get_future().wait();
  files->may_end[1].set_value();
  CHECK(files->told[1].get_future().get() == "read 1");
}

TEST_CASE("a reading that hangs keeps nobody from ending, and is told to nobody") {
  const auto files = std::make_shared<mount>();
  {
    auto reading = reading_of(files);
    CHECK(reading.begin());
    files->begun[0].get_future().wait();
    CHECK_FALSE(reading.begin());
  }
  files->may_end[0].set_value();
  files->let_go.get_future().wait(); // it has ended, and was not begun once more
  CHECK(files->told[0].get_future().wait_for(std::chrono::seconds{0}) == std::future_status::timeout);
  CHECK(files->reads == 1);
}
