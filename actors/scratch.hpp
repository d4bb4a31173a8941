#pragma once

#include <cstddef>
#include <vector>

namespace vicket {

/// Empties what is used again and again. Its memory is kept, but after a burst of more than `few` it is given back.
template <class T>
void empty_for_reuse(std::vector<T>& scratch, std::size_t few) {
  scratch.clear();
  if (scratch.capacity() > few)
    scratch.shrink_to_fit();
}

} // namespace vicket
