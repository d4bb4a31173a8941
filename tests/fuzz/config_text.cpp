// A config file of `vicketd`.

#include "tests/fuzz/fuzz_target.hpp"

#include "apps/config_file.hpp"
#include "policy/resolver_config.hpp"

using namespace vicket;

VICKET_FUZZ_TARGET(config_text) {
  const auto parsed = parse_config_file(input);
  if (const auto* complaint = std::get_if<std::string>(&parsed))
    EXPECT_THAT_IT_HOLDS(!complaint->empty());
}
