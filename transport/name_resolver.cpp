#include "transport/name_resolver.hpp"

#include "policy/resolver_config.hpp"
#include "transport/shortage.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace vicket {

namespace asio = boost::asio;
using steady = std::chrono::steady_clock;

namespace {

/// How often c-ares looks for questions to be sent again. Asking it for the next time instead walks all of them.
constexpr std::chrono::milliseconds retry_check_interval{100};

/// A resolv.conf is short.
constexpr std::size_t max_resolv_conf_bytes = 64 * 1024;

std::string sentence(const std::string& name, int status) {
  switch (status) {
  case ARES_ENOTFOUND:
    return "the name " + name + " does not exist (NXDOMAIN)";
  case ARES_ENODATA:
    return "the name " + name + " has no address (neither A nor AAAA)";
  case ARES_ESERVFAIL:
    return "the name servers could not resolve " + name + " (SERVFAIL)";
  case ARES_EREFUSED:
    return "the name servers refused to resolve " + name + " (REFUSED)";
  case ARES_ETIMEOUT:
    return "no name server answered for " + name;
  case ARES_ECONNREFUSED:
    return "no name server could be reached to resolve " + name;
  case ARES_ENOMEM:
    return "too many names are being resolved to resolve " + name;
  default:
    return "the name " + name + " did not resolve: " + ares_strerror(status);
  }
}

/// Whether that is what the name's owner says, and not a failure on the way.
bool is_verdict(int status) {
  return status == ARES_SUCCESS || status == ARES_ENODATA || status == ARES_ENOTFOUND;
}

/// Why there are no addresses, from both families' reasons: a failure may hide addresses, so it comes first.
int reason_of(int a, int b) {
  if (!is_verdict(a))
    return a;
  if (!is_verdict(b))
    return b;
  return a == ARES_ENODATA ? a : b;
}

bool is_localhost(std::string_view name) {
  return name == "localhost" || name.ends_with(".localhost");
}

/// Throws `short_of_descriptors` where that is why it can't be read; one that is not there is empty.
std::string read_file(const std::string& path) {
  errno = 0;
  std::ifstream file{path, std::ios::binary};
  if (const auto what = file ? std::nullopt : shortage_of(errno))
    throw short_of_descriptors{*what};
  std::string result(max_resolv_conf_bytes, '\0');
  file.read(result.data(), static_cast<std::streamsize>(result.size()));
  result.resize(static_cast<std::size_t>(file.gcount()));
  return result;
}

} // namespace

name_resolver::query::query(name_resolver* resolver, std::string what)
    : owner{resolver}, name{std::move(what)}, due{this, [](void* self) {
                                                    const auto alive =
                                                        static_cast<query*>(self)->shared_from_this();
                                                    alive->owner->on_due(alive);
                                                  }} {}

name_resolver::name_resolver(asio::io_context& context, deadline_wheel& deadlines, sources from,
                             std::function<bool()> make_room)
    : context_{context}, deadlines_{deadlines}, from_{std::move(from)}, make_room_{std::move(make_room)},
      resolv_conf_{from_.servers.empty() ? std::vector{from_.resolv_conf} : std::vector<std::string>{}},
      servers_{make_servers()}, timer_{context} {}

void name_resolver::close() {
  if (std::exchange(closed_, true))
    return;
  timer_.cancel();
  under_way_.clear();
  servers_.clear();
}

// -- the servers --------------------------------------------------------------------------------------------

std::vector<std::string> name_resolver::system_servers() const {
  auto result = name_servers_of(read_file(from_.resolv_conf));
  result.resize(std::min(result.size(), max_servers));
  return result;
}

name_resolver::server_list name_resolver::make_servers() const {
  server_list result;
  for (const auto& server : from_.servers)
    result.push_back(std::make_unique<name_server>(context_, server, make_room_));
  if (!result.empty())
    return result;
  for (const auto& server : system_servers()) {
    try {
      result.push_back(std::make_unique<name_server>(context_, server, make_room_));
    } catch (const short_of_descriptors&) {
      throw;
    } catch (
        const std::runtime_error&) { // an interface that c-ares does not know, say: the others have to do
    }
  }
  if (result.empty())
    result.push_back(std::make_unique<name_server>(context_, "127.0.0.1", make_room_));
  return result;
}

void name_resolver::refresh_servers(time_point now) {
  if (resolv_conf_.changed(now) || std::exchange(unheard_, false))
    renew_servers(now);
}

void name_resolver::reload() {
  if (!closed_)
    renew_servers(steady::now());
}

/// Those who wait for an answer are given one of the new servers.
void name_resolver::renew_servers(time_point now) {
  server_list fresh;
  try {
    fresh = make_servers();
  } catch (const std::runtime_error&) { // short of something: those that are there go on
    resolv_conf_.look_again();
    return;
  }
  const auto old = std::make_shared<server_list>(std::exchange(servers_, std::move(fresh)));
  asio::post(context_, [old] {}); // they may be in the middle of an answer now
  preferred_ = 0;
  for (auto& [name, kept] : kept_)
    kept.until = {};
  std::vector<query_ptr> unanswered;
  for (const auto& [name, one] : under_way_)
    unanswered.push_back(one);
  for (const auto& one : unanswered) {
    for (const auto which : {family::v6, family::v4})
      if (!one->over && !one->of(which).settled)
        begin(one, which, now);
    evaluate(one, now);
  }
}

// -- lookups ------------------------------------------------------------------------------------------------

void name_resolver::lookup(const std::string& name, waiter& who, time_point now) {
  if (is_localhost(name))
    return who.on_resolved({{*ip_address::parse("127.0.0.1")}, {}, true});
  refresh_servers(now);
  who.told_ = false;
  const auto found = under_way_.find(name);
  const auto begun = found == under_way_.end() ? nullptr : found->second;
  if (const auto kept = kept_.find(name); kept != kept_.end() && now < kept->second.until) {
    if (!begun)
      return who.on_resolved({kept->second.addresses, {}, true});
    who.told_ = true;
    begun->waiters.push_back(who);
    return who.on_resolved({kept->second.addresses, {}, false});
  }
  if (begun) {
    begun->waiters.push_back(who);
    return freshen(begun, now);
  }
  try {
    if (auto listed = servers_.front()->addresses_in_hosts_file(name); !listed.empty())
      return who.on_resolved({std::move(listed), {}, true});
  } catch (const short_of_descriptors& why) { // it may name others than the name servers would
    return who.on_resolved({{}, "the hosts file could not be read", true, why.what()});
  }
  if (under_way_.size() >= max_names_under_way)
    return who.on_resolved({{}, sentence(name, ARES_ENOMEM), true});
  const auto fresh = std::make_shared<query>(this, name);
  under_way_.emplace(name, fresh);
  fresh->waiters.push_back(who);
  begin(fresh, family::v6, now);
  begin(fresh, family::v4, now);
  evaluate(fresh, now);
  await_timeouts();
}

/// Somebody joined: an answer that is too old for them is asked for again, and so is a question that is.
void name_resolver::freshen(const query_ptr& joined, time_point now) {
  for (const auto which : {family::v6, family::v4}) {
    if (joined->over)
      return;
    auto& one = joined->of(which);
    if (one.settled && now >= one.until)
      begin(joined, which, now);
    else if (!one.settled && now >= one.asked_at + ask_again_after)
      ask_next(joined, which, now);
  }
  evaluate(joined, now);
  await_timeouts();
}

void name_resolver::begin(const query_ptr& of, family which, time_point now) {
  auto& one = of->of(which);
  const auto turn = one.turn + 1;
  one = {};
  one.turn = turn;
  one.first_server = preferred_;
  ask_next(of, which, now);
}

void name_resolver::ask_next(const query_ptr& of, family which, time_point now) {
  auto& one = of->of(which);
  const auto server = (one.first_server + one.asked) % servers_.size();
  ++one.asked;
  ++one.pending;
  one.asked_at = now;
  servers_[server]->ask(
      of->name, which,
      [begun = of->weak_from_this(), which, turn = one.turn, server](const name_server::reply& said) {
        if (const auto alive = begun.lock())
          alive->owner->on_reply(alive, which, turn, server, said);
      });
}

void name_resolver::on_reply(const query_ptr& of, family which, unsigned turn, std::size_t server,
                             const name_server::reply& said) {
  auto& one = of->of(which);
  if (of->over || one.settled || one.turn != turn)
    return;
  --one.pending;
  const auto now = steady::now();
  if (said.status == ARES_ETIMEOUT)
    unheard_ |= heard_at_ < one.asked_at;
  else
    heard_at_ = now;
  if (is_verdict(said.status)) {
    preferred_ = server;
    one.settled = true;
    one.status = said.status;
    one.addresses = said.addresses;
    one.until = now + (said.addresses.empty() ? std::chrono::seconds{0} : std::min(said.ttl, max_ttl));
    return evaluate(of, now);
  }
  if (said.status != ARES_ETIMEOUT)
    one.status = said.status;
  if (said.shortage)
    one.shortage = said.shortage;
  // A failure may pass: once more round the servers. One that is silent has been asked several times already.
  const auto rounds = said.status == ARES_ETIMEOUT ? 1U : 2U;
  if (one.asked < rounds * servers_.size())
    ask_next(of, which, now);
  else if (one.pending == 0) {
    one.settled = true;
    one.until = now;
  }
  evaluate(of, now);
}

void name_resolver::on_due(const query_ptr& of) {
  const auto now = steady::now();
  for (const auto which : {family::v6, family::v4}) {
    auto& one = of->of(which);
    if (!of->over && !one.settled && one.asked < servers_.size() && now >= one.asked_at + next_server_after)
      ask_next(of, which, now);
  }
  evaluate(of, now);
}

/// After every change of a query.
void name_resolver::evaluate(const query_ptr& of, time_point now) {
  if (of->over)
    return;
  if (of->v4.settled && of->v6.settled)
    return complete(of, now);
  if (!of->v4.usable() && !of->v6.usable())
    of->usable_at.reset();
  else if (!of->usable_at)
    of->usable_at = now;
  wait_for_more(*of, now);
  if (of->usable_at && now >= *of->usable_at + resolution_delay)
    tell_first(of, now);
}

void name_resolver::wait_for_more(query& of, time_point now) {
  auto at = time_point::max();
  if (of.usable_at && now < *of.usable_at + resolution_delay)
    at = *of.usable_at + resolution_delay;
  for (const auto* one : {&of.v4, &of.v6})
    if (!one->settled && one->asked < servers_.size() && !of.waiters.empty())
      at = std::min(at, one->asked_at + next_server_after);
  if (at == time_point::max())
    deadlines_.remove(of.due);
  else
    deadlines_.add(of.due, at);
}

void name_resolver::tell_first(const query_ptr& of, time_point now) {
  waiter_list untold;
  for (auto next = of->waiters.begin(); next != of->waiters.end();) {
    auto& who = *next++;
    if (who.told_)
      continue;
    who.hook_.unlink();
    untold.push_back(who);
  }
  if (untold.empty())
    return;
  const auto result = take_stock(*of, false, now);
  while (!untold.empty()) {
    auto& who = untold.front();
    untold.pop_front();
    who.told_ = true;
    of->waiters.push_back(who);
    who.on_resolved(result);
  }
}

void name_resolver::complete(const query_ptr& of, time_point now) {
  of->over = true;
  deadlines_.remove(of->due);
  under_way_.erase(of->name);
  const auto result = take_stock(*of, true, now);
  while (!of->waiters.empty()) {
    auto& who = of->waiters.front();
    of->waiters.pop_front();
    who.on_resolved(result);
  }
}

name_resolver::answer name_resolver::take_stock(query& of, bool complete, time_point now) {
  answer result;
  result.complete = complete;
  auto until = time_point::max();
  for (const auto* one : {&of.v6, &of.v4}) {
    if (!one->usable())
      continue;
    result.addresses.insert(result.addresses.end(), one->addresses.begin(), one->addresses.end());
    until = std::min(until, one->until);
  }
  if (result.addresses.empty()) {
    result.error = sentence(of.name, reason_of(of.v4.status, of.v6.status));
    for (const auto* one : {&of.v6, &of.v4})
      if (one->shortage && !is_verdict(one->status))
        result.shortage = one->shortage;
  } else if (now < until)
    keep(of.name, result.addresses, until);
  return result;
}

void name_resolver::keep(const std::string& name, const std::vector<ip_address>& addresses,
                         time_point until) {
  const auto [kept, is_new] = kept_.insert_or_assign(name, kept_answer{addresses, until});
  if (is_new)
    kept_order_.push_back(name);
  if (kept_.size() > max_kept_names) {
    kept_.erase(kept_order_.front());
    kept_order_.pop_front();
  }
}

void name_resolver::forget(const std::string& name) {
  if (const auto kept = kept_.find(name); kept != kept_.end())
    kept->second.until = {}; // its place in `kept_order_` stays
  if (const auto found = under_way_.find(name); found != under_way_.end())
    found->second->v4.until = found->second->v6.until = {};
}

void name_resolver::await_timeouts() {
  const auto asks = [](const auto& server) { return server->questions() > 0; };
  if (timer_runs_ || std::none_of(servers_.begin(), servers_.end(), asks))
    return;
  timer_runs_ = true;
  timer_.expires_after(retry_check_interval);
  timer_.async_wait([this](const boost::system::error_code& ec) {
    if (ec || closed_)
      return;
    timer_runs_ = false;
    for (std::size_t i = 0; i < servers_.size(); ++i) // an answer may bring others into their places
      servers_[i]->check_timeouts();
    await_timeouts();
  });
}

} // namespace vicket
