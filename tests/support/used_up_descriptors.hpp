#pragma once

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstddef>
#include <stdexcept>
#include <vector>

namespace vicket::testing {

/// This process has no descriptor left but those that it has open, as long as this lives.
class used_up_descriptors {
public:
  used_up_descriptors() {
    if (::getrlimit(RLIMIT_NOFILE, &limit_) != 0)
      throw std::runtime_error{"no limit of descriptors"};
    auto lower = limit_;
    lower.rlim_cur = few;
    if (::setrlimit(RLIMIT_NOFILE, &lower) != 0)
      throw std::runtime_error{"the limit of descriptors can't be lowered"};
    for (int one; (one = ::open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0;)
      taken_.push_back(one);
  }
  used_up_descriptors(const used_up_descriptors&) = delete;
  used_up_descriptors& operator=(const used_up_descriptors&) = delete;
  ~used_up_descriptors() {
    ::setrlimit(RLIMIT_NOFILE, &limit_);
    give_back(taken_.size());
  }

  /// So many are free from now on.
  void give_back(std::size_t count) {
    for (; count > 0 && !taken_.empty(); --count) {
      ::close(taken_.back());
      taken_.pop_back();
    }
  }

private:
  static constexpr rlim_t few = 256;

  rlimit limit_{};
  std::vector<int> taken_;
};

} // namespace vicket::testing
