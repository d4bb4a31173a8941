#include "messages/connector.hpp"

#include <cstring>

namespace vicket {

void secret_text::wipe() noexcept {
  value.resize(value.capacity()); // what it held before may have been longer; allocates nothing
  ::explicit_bzero(value.data(), value.size());
  value.clear();
}

} // namespace vicket
