#include "net/host_lookup.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <condition_variable>
#include <future>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

using namespace vicket::internal;
using namespace std::chrono_literals;

namespace {

using addresses = std::vector<std::string>;

/// A system that answers when the test says so, and says what it was asked.
class scripted_system {
public:
  host_lookup::found operator()(const std::string& name) {
    std::unique_lock lock{state_->mutex};
    state_->asked.push_back(name);
    state_->changed.notify_all();
    state_->changed.wait(lock, [&] { return !state_->hangs; });
    return state_->says;
  }
  void hang(bool on) {
    const std::lock_guard lock{state_->mutex};
    state_->hangs = on;
    state_->changed.notify_all();
  }
  void say(host_lookup::found what) {
    const std::lock_guard lock{state_->mutex};
    state_->says = std::move(what);
  }
  void wait_until_asked(std::size_t times) {
    std::unique_lock lock{state_->mutex};
    state_->changed.wait(lock, [&] { return state_->asked.size() >= times; });
  }
  [[nodiscard]] std::size_t asked() {
    const std::lock_guard lock{state_->mutex};
    return state_->asked.size();
  }

private:
  struct shared {
    std::mutex mutex;
    std::condition_variable changed;
    bool hangs = false;
    host_lookup::found says = addresses{"192.0.2.1"};
    std::vector<std::string> asked;
  };
  std::shared_ptr<shared> state_ = std::make_shared<shared>(); // a thread that hangs outlives the test
};

std::future<host_lookup::found> find(const io_thread& io, host_lookup& names, const std::string& name) {
  auto promise = std::make_shared<std::promise<host_lookup::found>>();
  io.run([&] { names.find(name, [promise](const host_lookup::found& what) { promise->set_value(what); }); });
  return promise->get_future();
}

} // namespace

TEST_CASE("an address is itself, and the system knows localhost and what is none") {
  const io_thread io{{}};
  host_lookup names{io, 60s};
  CHECK(std::get<addresses>(find(io, names, "192.0.2.7").get()) == addresses{"192.0.2.7"});
  CHECK(std::get<addresses>(find(io, names, "2001:db8::1").get()) == addresses{"2001:db8::1"});
  const auto here = std::get<addresses>(find(io, names, "localhost").get());
  CHECK(std::any_of(here.begin(), here.end(),
                    [](const std::string& one) { return one == "127.0.0.1" || one == "::1"; }));
  const auto none = find(io, names, "no such host").get();
  CHECK(std::get<std::string>(none).find("no such host has no address: ") == 0);
}

TEST_CASE("those who ask for a name at the same time share a question, and the next one asks anew") {
  scripted_system system;
  const io_thread io{{}};
  host_lookup names{io, 60s, system};
  system.hang(true);
  auto first = find(io, names, "db");
  auto second = find(io, names, "db");
  system.wait_until_asked(1);
  system.hang(false);
  CHECK(std::get<addresses>(first.get()) == addresses{"192.0.2.1"});
  CHECK(std::get<addresses>(second.get()) == addresses{"192.0.2.1"});
  CHECK(system.asked() == 1);
  system.say(addresses{"192.0.2.2", "192.0.2.3"});
  CHECK(std::get<addresses>(find(io, names, "db").get()) == addresses{"192.0.2.2", "192.0.2.3"});
  system.say(std::string{"db is gone"});
  CHECK(std::get<std::string>(find(io, names, "db").get()) == "db is gone");
}

TEST_CASE("a system that never answers holds up nobody: what is known of before is given, or that there is "
          "nothing") {
  scripted_system system;
  {
    const io_thread io{{}};
    host_lookup names{io, 50ms, system};
    CHECK(std::get<addresses>(find(io, names, "db").get()) == addresses{"192.0.2.1"});
    system.hang(true);
    CHECK(std::get<addresses>(find(io, names, "db").get()) == addresses{"192.0.2.1"});
    CHECK(std::get<std::string>(find(io, names, "other").get()) ==
          "other can't be looked up: no answer within 50 ms");
    // Another one waits for the question that is still under way.
    CHECK(std::get<addresses>(find(io, names, "db").get()) == addresses{"192.0.2.1"});
    system.wait_until_asked(3);
    CHECK(system.asked() == 3);
  } // and its end waits for nothing
  system.hang(false);
}
