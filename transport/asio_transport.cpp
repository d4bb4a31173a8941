#include "transport/asio_transport.hpp"

#include "net/file_reading.hpp"
#include "transport/io_worker.hpp"
#include "transport/trust_roots.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace vicket {

namespace {

using internal::file_reading;

class asio_transport final : public http_transport {
public:
  explicit asio_transport(transport_options options) : options_{std::move(options)} {
    const auto threads = std::max(options_.io_threads, 1U);
    const auto roots = std::make_shared<trust_roots>(options_.ca_files);
    const auto trust = roots->read();
    for (unsigned i = 0; i < threads; ++i)
      workers_.push_back(std::make_unique<io_worker>(options_, tls_context::share(trust.get()), [this, i] {
        for (std::size_t other = 0; other < workers_.size(); ++other)
          if (other != i)
            workers_[other]->make_room();
      }));
    trust_reading_.emplace(
        [this, roots](bool asked) -> file_reading::news {
          // `this` may be gone when it comes to an end, but not when it is told.
          const auto found = std::make_shared<trust_roots::news>(
              asked ? roots->reload() : roots->refresh(boost::asio::steady_timer::clock_type::now()));
          if (!found->fresh && found->line.empty())
            return {};
          return [this, found] { take(*found); };
        },
        watched_files::look_interval);
  }

  ~asio_transport() override {
    trust_reading_.reset();
    for (auto& worker : workers_) // all, before the first is gone: completions may post to any of them
      worker->end();
  }

  void post(http_request request, completion done) override {
    const auto hash = hash_of(*request.endpoint);
    auto& worker = *workers_[hash % workers_.size()];
    worker.post({std::move(request), std::move(done), hash, boost::asio::steady_timer::clock_type::now()});
  }

  void post_all(std::vector<posting> postings) override {
    const auto now = boost::asio::steady_timer::clock_type::now();
    std::vector<std::vector<posted_request>> parts(workers_.size());
    for (auto& part : parts)
      part.reserve(postings.size() / parts.size() + 1);
    for (auto& one : postings) {
      const auto hash = hash_of(*one.request.endpoint);
      parts[hash % parts.size()].push_back({std::move(one.request), std::move(one.done), hash, now});
    }
    for (std::size_t i = 0; i < parts.size(); ++i)
      if (!parts[i].empty())
        workers_[i]->post_all(std::move(parts[i]));
  }

  void reload() override {
    for (auto& worker : workers_)
      worker->reload();
    if (!trust_reading_->begin())
      warn("the trust roots of deliveries are still being read (from a mount that hangs?): they are read "
           "once more "
           "after that; until then deliveries trust what they trusted before");
  }

  void defer(std::function<void()> later) override {
    if (auto* worker = io_worker::current())
      worker->defer(std::move(later));
    else
      later();
  }

private:
  void take(const trust_roots::news& found) {
    if (!found.line.empty())
      warn(found.line);
    if (found.fresh)
      for (auto& worker : workers_)
        worker->take_trust(tls_context::share(found.fresh.get()));
  }

  void warn(const std::string& line) const {
    if (options_.log_warning)
      options_.log_warning(line);
  }

  const transport_options options_;
  std::vector<std::unique_ptr<io_worker>> workers_;
  std::optional<file_reading> trust_reading_; ///< last: it tells the workers
};

} // namespace

std::unique_ptr<http_transport> make_asio_transport(transport_options options) {
  return std::make_unique<asio_transport>(std::move(options));
}

} // namespace vicket
