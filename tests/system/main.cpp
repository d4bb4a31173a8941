#include "tests/system/small_disk.hpp"

#include <catch2/catch_session.hpp>

#include <cstdio>

int main(int argc, char** argv) {
  // Before the first thread, see there.
  if (const auto why = vicket::testing::separate_mounts())
    std::fprintf(stderr, "no mounts of our own (%s): tests of a full disk will be skipped\n", why->c_str());
  return Catch::Session().run(argc, argv);
}
