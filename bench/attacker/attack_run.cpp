#include "bench/attacker/attack_run.hpp"

#include "bench/attacker/client_tls.hpp"
#include "bench/harness/real_time.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace vicket::bench {

namespace {

constexpr int max_events_per_wait = 256;
constexpr int wait_ms = 1; ///< unless somebody may send as fast as it goes
constexpr std::int64_t look_every_ns = 10'000'000;
constexpr std::int64_t crowd_patience_ns = 5'000'000'000;
constexpr std::int64_t burst_after_ns = 1'000'000'000;
constexpr std::uint32_t crowd_address = 0x7f000002; ///< 127.0.0.2
constexpr std::uint32_t first_address = 0x7f000003;
constexpr std::uint32_t addresses = 16;

[[noreturn]] void fail(const char* what) {
  throw std::runtime_error(std::string{what} + ": " + std::generic_category().message(errno));
}

sockaddr_in address_of(std::uint32_t host, std::uint16_t port) {
  sockaddr_in made{};
  made.sin_family = AF_INET;
  made.sin_port = htons(port);
  made.sin_addr.s_addr = htonl(host);
  return made;
}

} // namespace

bool pace::due(std::int64_t now_ns) {
  if (per_s_ <= 0)
    return true;
  const auto passed_ns = std::min(now_ns - at_ns_, moment_ns);
  at_ns_ = now_ns;
  left_ = std::min(left_ + static_cast<double>(passed_ns) * 1e-9 * per_s_,
                   std::max(1.0, static_cast<double>(moment_ns) * 1e-9 * per_s_));
  return left_ >= 1;
}

void pace::take(std::uint32_t count) {
  if (per_s_ > 0)
    left_ -= count;
}

attack_run::attack_run(settings with, const termination_watch& end)
    : with_{std::move(with)}, end_{end}, epoll_{::epoll_create1(EPOLL_CLOEXEC)}, chance_{with_.seed},
      connections_{with_.connections_per_s, now_ns()}, messages_{with_.messages_per_s, now_ns()} {
  if (epoll_.number() < 0)
    fail("no epoll");
  for (const int number : end_.descriptors())
    watch(number, EPOLLIN);
}

void attack_run::run(const std::function<void()>& ready) {
  const auto begun_ns = now_ns();
  for (; crowd_held() < with_.crowd && now_ns() - begun_ns < crowd_patience_ns; open_due())
    if (!wait_and_serve())
      return;
  counts_.clear();
  for (auto& one : places_)
    one.count = nullptr;
  counted_from_ns_ = now_ns();
  ready();
  do {
    open_due();
    if (burst_opened_ == 0 && with_.burst > 0 && now_ns() - counted_from_ns_ > burst_after_ns)
      open_burst();
  } while (wait_and_serve());
  counted_until_ns_ = now_ns();
  for (const auto& one : places_)
    if (one.connection && one.count)
      one.count->messages += one.connection->messages_sent();
}

std::size_t attack_run::crowd_held() const {
  return static_cast<std::size_t>(std::count_if(places_.begin(), places_.end(), [](const place& one) {
    return one.connection && one.crowds && one.seen_at_goal;
  }));
}

double attack_run::seconds() const {
  return bench::seconds(counted_until_ns_ - counted_from_ns_);
}

/// False: it is to end.
bool attack_run::wait_and_serve() {
  std::array<epoll_event, max_events_per_wait> events{};
  const bool no_pause = with_.messages_per_s <= 0 && !in_line_.empty();
  const int count = ::epoll_wait(epoll_.number(), events.data(), max_events_per_wait, no_pause ? 0 : wait_ms);
  if (count < 0 && errno != EINTR)
    fail("waiting failed");
  for (int i = 0; i < count; ++i) {
    const int number = events[static_cast<std::size_t>(i)].data.fd;
    const auto& ends = end_.descriptors();
    if (std::find(ends.begin(), ends.end(), number) == ends.end())
      look(number);
    else if (end_.ended(number))
      return false;
  }
  serve_line();
  look_at_all();
  return true;
}

void attack_run::open_due() {
  while (open_ < with_.most_open && connections_.due(now_ns())) {
    const bool crowds = crowd_open_ < with_.crowd;
    const auto& what = crowds ? crowding() : next_attack();
    if (!open(what, crowds, &counts_[what.name]))
      return;
    connections_.take(1);
  }
}

/// Nobody expects that these come as far as they were to: the port has few places for who arrives.
void attack_run::open_burst() {
  for (; burst_opened_ < with_.burst; ++burst_opened_)
    if (!open(next_attack(), false, nullptr))
      return;
}

/// Each in turn, and the turns in an order of their own: all connections stay for the same time, so in one order the same kinds
/// would always find the port full.
const attack& attack_run::next_attack() {
  if (next_ == with_.attacks.size()) {
    std::shuffle(with_.attacks.begin(), with_.attacks.end(), chance_);
    next_ = 0;
  }
  return with_.attacks[next_++];
}

bool attack_run::open(const attack& what, bool crowds, attack_count* count) {
  auto socket = dial(crowds);
  if (socket.number() < 0)
    return false;
  const int number = socket.number();
  auto script = what.script(with_.material, chance_);
  tls_session tls;
  if (script.by != entrance::bare)
    tls = make_client_session(*with_.tls[static_cast<std::size_t>(script.by) - 1], number);
  if (places_.size() <= static_cast<std::size_t>(number))
    places_.resize(static_cast<std::size_t>(number) + 1);
  auto& here = places_[static_cast<std::size_t>(number)];
  here = {};
  here.connection =
      std::make_unique<attack_connection>(std::move(script), std::move(socket), std::move(tls), now_ns());
  here.count = count;
  here.crowds = crowds;
  ++open_;
  crowd_open_ += crowds ? 1 : 0;
  if (count)
    ++count->tried;
  watch(number, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET); // and tells at once that it can be written
  return true;
}

/// Without a number: there is none to be had now.
descriptor attack_run::dial(bool crowds) {
  descriptor socket{::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (socket.number() < 0)
    return socket;
  const int on = 1;
  ::setsockopt(socket.number(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  const auto from = address_of(crowds ? crowd_address : first_address + next_address_++ % addresses, 0);
  const auto to = address_of(INADDR_LOOPBACK, with_.port);
  if (::bind(socket.number(), reinterpret_cast<const sockaddr*>(&from), sizeof from) != 0)
    fail("can't come from an address of 127.0.0.0/8");
  if (::connect(socket.number(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0 &&
      errno != EINPROGRESS)
    return {};
  return socket;
}

void attack_run::watch(int number, std::uint32_t events) {
  epoll_event wanted{};
  wanted.events = events;
  wanted.data.fd = number;
  if (::epoll_ctl(epoll_.number(), EPOLL_CTL_ADD, number, &wanted) != 0)
    fail("can't watch a descriptor");
}

void attack_run::look(int number) {
  auto& here = places_[static_cast<std::size_t>(number)];
  if (!here.connection)
    return;
  auto& connection = *here.connection;
  connection.go_on(now_ns());
  if (connection.reached_goal() && !std::exchange(here.seen_at_goal, true) && here.count)
    ++here.count->reached;
  if (connection.over()) {
    if (here.count)
      here.count->messages += connection.messages_sent();
    --open_;
    crowd_open_ -= here.crowds ? 1 : 0;
    here = {};
  } else if (connection.wants_turn() > 0 && !here.in_line) {
    here.in_line = true;
    in_line_.push_back(number);
  }
}

/// Drips, and those that have had their time.
void attack_run::look_at_all() {
  const auto now = now_ns();
  if (now - looked_ns_ < look_every_ns)
    return;
  looked_ns_ = now;
  for (std::size_t i = 0; i < places_.size(); ++i)
    look(static_cast<int>(i));
}

void attack_run::serve_line() {
  // One turn of each at most: who can send without end is not to keep the others waiting.
  for (auto most = in_line_.size(); most > 0 && messages_.due(now_ns()); --most) {
    const int number = in_line_.front();
    in_line_.pop_front();
    auto& here = places_[static_cast<std::size_t>(number)];
    if (!std::exchange(here.in_line, false))
      continue; // it is gone, and perhaps another in its place
    messages_.take(here.connection->wants_turn());
    here.connection->take_turn(now_ns());
    look(number);
  }
}

} // namespace vicket::bench
