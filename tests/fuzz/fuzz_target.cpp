#include "tests/fuzz/fuzz_target.hpp"

namespace vicket::fuzz {

std::vector<target>& targets() {
  static std::vector<target> all;
  return all;
}

} // namespace vicket::fuzz
