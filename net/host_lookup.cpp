#include "net/host_lookup.hpp"

#include "net/io_core.hpp"
#include "net/pause.hpp"
#include "policy/address_guard.hpp"

#include <boost/asio/post.hpp>

#include <netdb.h>
#include <pthread.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <list>
#include <map>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

namespace vicket::internal {

host_lookup::found host_lookup::ask_system(const std::string& name) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* first = nullptr;
  const auto problem = ::getaddrinfo(name.c_str(), nullptr, &hints, &first);
  if (problem != 0)
    return name + " has no address: " +
           (problem == EAI_SYSTEM ? std::generic_category().message(errno) : ::gai_strerror(problem));
  std::vector<std::string> addresses;
  for (const auto* each = first; each != nullptr; each = each->ai_next) {
    std::array<char, NI_MAXHOST> text{};
    if (::getnameinfo(each->ai_addr, each->ai_addrlen, text.data(), text.size(), nullptr, 0,
                      NI_NUMERICHOST) == 0)
      addresses.emplace_back(text.data());
  }
  ::freeaddrinfo(first);
  if (addresses.empty())
    return name + " has no address";
  return addresses;
}

struct host_lookup::rep : std::enable_shared_from_this<rep> {
  struct waiter {
    explicit waiter(const io_thread& io) : patience{io} {}
    pause patience;
    std::function<void(const found&)> done;
  };
  struct host {
    std::optional<found> before; ///< addresses, of the last question that had any
    bool asked = false;
    std::list<std::shared_ptr<waiter>> waiting;
  };

  rep(const io_thread& of, std::chrono::milliseconds how_long, std::function<found(const std::string&)> how)
      : io{of}, patience{how_long}, ask{std::move(how)} {}

  void find(const std::string& name, std::function<void(const found&)> done) {
    if (ip_address::parse(name))
      return done(std::vector<std::string>{name});
    auto& of = hosts[name];
    const auto who = of.waiting.emplace_back(std::make_shared<waiter>(io));
    who->done = std::move(done);
    who->patience.start(patience, [weak = weak_from_this(), name, waiting = std::weak_ptr{who}] {
      if (const auto self = weak.lock())
        if (const auto it = waiting.lock())
          self->give_up(name, it);
    });
    if (!std::exchange(of.asked, true))
      begin(name);
  }

  void begin(const std::string& name) {
    try {
      std::thread{[core = io.core(), weak = weak_from_this(), ask = ask, name] {
        sigset_t all; // signals are the program's
        sigfillset(&all);
        pthread_sigmask(SIG_BLOCK, &all, nullptr);
        pthread_setname_np(pthread_self(), "vicket-names");
        boost::asio::post(core->context, [weak, name, result = ask(name)] {
          if (const auto self = weak.lock())
            self->take(name, result);
        });
      }}.detach();
    } catch (const std::system_error& problem) {
      boost::asio::post(io.context(), [weak = weak_from_this(), name, why = std::string{problem.what()}] {
        if (const auto self = weak.lock())
          self->take(name, name + " can't be looked up: " + why);
      });
    }
  }

  void take(const std::string& name, const found& result) {
    auto& of = hosts[name];
    of.asked = false;
    if (std::holds_alternative<std::vector<std::string>>(result))
      of.before = result;
    const auto alive = shared_from_this(); // whatever those who are told do
    for (const auto& each : std::exchange(of.waiting, {}))
      each->done(result);
  }

  void give_up(const std::string& name, const std::shared_ptr<waiter>& who) {
    auto& of = hosts[name];
    of.waiting.remove(who);
    const auto answer = of.before.value_or(name + " can't be looked up: no answer within " +
                                           std::to_string(patience.count()) + " ms");
    who->done(answer);
  }

  const io_thread& io;
  const std::chrono::milliseconds patience;
  const std::function<found(const std::string&)> ask;
  std::map<std::string, host> hosts;
};

host_lookup::host_lookup(const io_thread& io, std::chrono::milliseconds patience,
                         std::function<found(const std::string&)> ask)
    : rep_{std::make_shared<rep>(io, patience, std::move(ask))} {}

host_lookup::~host_lookup() = default;

void host_lookup::find(const std::string& name, std::function<void(const found&)> done) {
  rep_->find(name, std::move(done));
}

} // namespace vicket::internal
