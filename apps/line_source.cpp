#include "apps/line_source.hpp"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

namespace vicket {

std::optional<line_source::line> line_source::next() {
  const auto end = buffer_.find('\n', scanned_);
  if (end == std::string::npos) {
    scanned_ = buffer_.size();
    const bool rest = ended_ && (start_ < buffer_.size() || skipping_);
    if (buffer_.size() - start_ > max_line_bytes) {
      skipping_ = true;
      start_ = scanned_ = buffer_.size();
    }
    if (!rest)
      return std::nullopt;
  }
  const auto stop = end == std::string::npos ? buffer_.size() : end;
  line taken{++number_, {}, skipping_ || stop - start_ > max_line_bytes};
  if (!taken.too_long && start_ < stop)
    taken.text = buffer_.substr(start_, stop - start_);
  if (taken.text.ends_with('\r'))
    taken.text.pop_back();
  skipping_ = false;
  start_ = scanned_ = end == std::string::npos ? buffer_.size() : end + 1;
  return taken;
}

void line_source::end() {
  ended_ = true;
  skipping_ = false;
  buffer_.clear();
  start_ = scanned_ = 0;
}

void line_source::fill() {
  buffer_.erase(0, start_);
  scanned_ -= start_;
  start_ = 0;
  std::array<char, 64 * 1024> piece;
  ssize_t count = 0;
  do
    count = ::read(descriptor_, piece.data(), piece.size());
  while (count < 0 && errno == EINTR);
  if (count <= 0)
    ended_ = true;
  else
    buffer_.append(piece.data(), static_cast<std::size_t>(count));
}

} // namespace vicket
