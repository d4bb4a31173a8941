#include "transport/connection_pool.hpp"

#include <cassert>
#include <functional>
#include <string_view>

namespace vicket {

namespace {

std::size_t hash_parts(std::string_view host, std::uint16_t port, bool tls) {
  const auto hash = std::hash<std::string_view>{}(host);
  return hash ^ ((std::size_t{port} << 1 | std::size_t{tls}) * 0x9e3779b97f4a7c15ULL);
}

} // namespace

std::size_t hash_of(const http_endpoint& endpoint) {
  return hash_parts(endpoint.host, endpoint.port, endpoint.tls);
}

std::size_t connection_pool::hasher::operator()(const destination_key& key) const {
  return hash_parts(key.host, key.port, key.tls);
}

bool connection_pool::same::operator()(const destination_key& a, const destination_key& b) const {
  return a.port == b.port && a.tls == b.tls && a.host == b.host;
}

bool connection_pool::same::operator()(const destination_key& a, const hashed_endpoint& b) const {
  return a.port == b.endpoint.port && a.tls == b.endpoint.tls && a.host == b.endpoint.host;
}

destination& connection_pool::acquire(const hashed_endpoint& to) {
  auto found = destinations_.find(to);
  if (found == destinations_.end()) {
    destination_key key{to.endpoint.host, to.endpoint.port, to.endpoint.tls};
    found = destinations_.try_emplace(key).first;
    found->second.key = std::move(key);
    found->second.hash = to.hash;
  }
  ++found->second.requests;
  return found->second;
}

void connection_pool::release(destination& to) {
  assert(to.requests > 0);
  --to.requests;
  drop_if_unused(to);
}

std::unique_ptr<connection> connection_pool::take(destination& from, time_point now) {
  while (!from.idle.empty()) {
    auto candidate = unlink(from.idle.back());
    if (now - candidate->connected_at() < limits_.max_age)
      return candidate;
    candidate->say_goodbye();
  }
  return nullptr;
}

void connection_pool::put(std::unique_ptr<connection> idle, time_point now) {
  auto& to = idle->to();
  if (limits_.max_idle == 0 || limits_.max_idle_per_endpoint == 0)
    return;
  if (to.idle.size() >= limits_.max_idle_per_endpoint)
    close(to.idle.front());
  else if (by_age_.size() >= limits_.max_idle)
    close(by_age_.front());
  idle->belong_to(*this);
  idle->idle_since_ = now;
  to.idle.push_back(*idle);
  by_age_.push_back(*idle.release());
}

/// While a request uses `to`, so that it stays.
void connection_pool::close_idle(destination& to) {
  assert(to.requests > 0);
  while (!to.idle.empty())
    close(to.idle.front());
}

void connection_pool::sweep(time_point now) {
  for (auto next = by_age_.begin(); next != by_age_.end();) {
    auto& idle = *next++;
    if (now - idle.idle_since_ >= limits_.idle_timeout || now - idle.connected_at() >= limits_.max_age)
      close(idle);
  }
}

bool connection_pool::give_up(std::size_t count) {
  if (by_age_.empty())
    return false;
  for (; count > 0 && !by_age_.empty(); --count)
    close(by_age_.front());
  return true;
}

bool connection_pool::give_up_port(const ip_address& address, std::uint16_t port) {
  for (auto& idle : by_age_)
    if (idle.address() == address && idle.to().key.port == port) {
      idle.reset_at_close();
      close(idle);
      return true;
    }
  return false;
}

void connection_pool::on_ready(connection& idle, readiness) {
  if (!idle.silent())
    close(idle);
}

void connection_pool::clear() {
  while (!by_age_.empty())
    close(by_age_.front());
  forget_sessions();
}

void connection_pool::forget_sessions() {
  while (!by_session_age_.empty()) {
    auto& oldest = by_session_age_.front();
    forget_session(oldest);
    drop_if_unused(oldest);
  }
}

SSL_SESSION* connection_pool::session_of(destination& to, time_point now) {
  if (to.session && now - to.verified_at >= limits_.max_session_age)
    forget_session(to);
  return to.session.get();
}

void connection_pool::remember_session(destination& to, ssl_session_ptr session, time_point verified_at) {
  forget_session(to);
  if (limits_.max_sessions == 0)
    return;
  if (by_session_age_.size() >= limits_.max_sessions) {
    auto& oldest = by_session_age_.front();
    forget_session(oldest);
    drop_if_unused(oldest);
  }
  to.session = std::move(session);
  to.session_number = ++sessions_;
  to.verified_at = verified_at;
  by_session_age_.push_back(to);
}

void connection_pool::forget_session(destination& of, std::uint64_t number) {
  if (of.session_number == number)
    forget_session(of);
}

std::unique_ptr<connection> connection_pool::unlink(connection& idle) {
  idle.to().idle.erase(destination::idle_list::s_iterator_to(idle));
  by_age_.erase(by_age_.iterator_to(idle));
  return std::unique_ptr<connection>{&idle};
}

void connection_pool::close(connection& idle) {
  auto& to = idle.to();
  auto ended = unlink(idle);
  ended->say_goodbye();
  ended.reset();
  drop_if_unused(to);
}

void connection_pool::forget_session(destination& of) {
  if (!of.session)
    return;
  by_session_age_.erase(by_session_age_.iterator_to(of));
  of.session.reset();
}

void connection_pool::drop_if_unused(destination& what) {
  if (what.requests == 0 && what.idle.empty() && !what.session)
    destinations_.erase(destinations_.find(what.key));
}

} // namespace vicket
