#include "actors/actor_of.hpp"

#include <caf/sec.hpp>

namespace vicket {

caf::error error_of(const std::exception_ptr& problem) {
  try {
    std::rethrow_exception(problem);
  } catch (const std::exception& known) {
    return caf::make_error(caf::sec::runtime_error, known.what());
  } catch (...) {
    return caf::make_error(caf::sec::runtime_error, "an exception of an unknown type");
  }
}

} // namespace vicket
