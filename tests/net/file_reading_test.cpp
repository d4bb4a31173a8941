#include "net/file_reading.hpp"

#include <catch2/catch_test_macros.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <future>
#include <memory>
#include <string>

using namespace vicket::internal;

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
  return file_reading{[files, kept](bool) -> file_reading::news {
    const auto mine = files->reads++;
    files->begun.at(mine).set_value();
    files->may_end.at(mine).get_future().wait();
    return [files, mine] { files->told.at(mine).set_value("read " + std::to_string(mine)); };
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

TEST_CASE("files are read now and then without being asked for, and what has nothing to tell tells nothing") {
  const auto twice = std::make_shared<std::promise<void>>();
  const auto told = std::make_shared<std::promise<bool>>();
  file_reading reading{[twice, told, looks = 0](bool asked) mutable -> file_reading::news {
                         if (asked)
                           return [told] { told->set_value(true); };
                         if (++looks == 2)
                           twice->set_value();
                         return {};
                       },
                       std::chrono::milliseconds{1}};
  twice->get_future().wait();
  static_cast<void>(reading.begin());
  CHECK(told->get_future().get());
}
