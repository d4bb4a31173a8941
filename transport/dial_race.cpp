#include "transport/dial_race.hpp"

#include "policy/denial_notice.hpp"
#include "policy/dial_order.hpp"
#include "transport/asio_transport.hpp"
#include "transport/connection_pool.hpp"
#include "transport/exchange_services.hpp"
#include "transport/known_addresses.hpp"
#include "transport/tls_context.hpp"

#include <algorithm>
#include <cassert>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace vicket {

using io = connection::io;

namespace {

std::int64_t us_between(dial_race::time_point begin, dial_race::time_point end) {
  return std::chrono::duration_cast<std::chrono::microseconds>(end - begin).count();
}

void add_part(std::string& to, const char* separator, const std::string& part) {
  if (!to.empty())
    to += separator;
  to += part;
}

} // namespace

dial_race::dial_race(exchange_services& services, destination& to, const http_endpoint& endpoint,
                     const attempt_times& times, phase_timings& timings, user& whom)
    : services_{services}, to_{to}, endpoint_{endpoint}, timings_{timings}, user_{whom},
      attempt_began_{times.began},
      // What is left of the attempt must suffice for the repetition.
      resumption_patience_{
          std::min(max_resumption_patience,
                   std::chrono::duration_cast<std::chrono::milliseconds>((times.ends - now()) / 4))},
      due_{this, [](void* self) { static_cast<dial_race*>(self)->on_due(); }} {}

dial_race::~dial_race() {
  for (auto& one : contestants_) // of a race that nobody won in time
    if (one.line)
      one.line->forget_offered_session();
}

void dial_race::start() {
  began_ = now();
  if (const auto numeric = ip_address::parse(endpoint_.host)) {
    resolved_ = true;
    judge({&*numeric, &*numeric + 1});
    return addresses_.empty() ? lose() : dial_next();
  }
  services_.names.lookup(endpoint_.host, *this, began_);
}

// -- addresses ----------------------------------------------------------------------------------------------

void dial_race::on_resolved(const name_resolver::answer& result) {
  resolved_ = result.complete;
  const bool is_first = addresses_.empty();
  if (!timings_.dns_us || is_first)
    timings_.dns_us = us_between(began_, now());
  if (result.shortage && is_first)
    return user_.on_dial_short({*result.shortage}, result.error);
  if (!result.error.empty() && is_first)
    return user_.on_dial_failed(outcome::dns, result.error);
  judge(result.addresses);
  if (is_first && !addresses_.empty())
    began_ = now();
  if (contestants_.empty())
    return go_on();
  wait_for_next();
}

/// Only what was judged is dialled, nobody looks the name up again.
void dial_race::judge(std::span<const ip_address> addresses) {
  std::vector<std::string> reasons;
  const auto tried = static_cast<std::ptrdiff_t>(next_);
  for (const auto& address : addresses) {
    if (auto reason = services_.options.guard.denied(address)) {
      reasons.push_back(*std::move(reason));
    } else if (addresses_.size() < max_kept_addresses &&
               std::find(addresses_.begin(), addresses_.end(), address) == addresses_.end()) {
      addresses_.push_back(address);
    }
  }
  denied_ = reasons.size();
  denials_.clear();
  std::sort(reasons.begin(), reasons.end()); // so that the order of a server's answers makes no other text
  for (std::size_t i = 0; i < std::min(denied_, max_denied_shown); ++i)
    add_part(denials_, "; ", reasons[i]);
  if (denied_ > max_denied_shown)
    denials_ += "; and " + std::to_string(denied_ - max_denied_shown) + " more";
  if (denied_ > 0 && resolved_ && !is_numeric()) // once for what A and AAAA said together
    tell_log();
  if (addresses_.size() - next_ > 1)
    put_in_dial_order({addresses_.begin() + tried, addresses_.end()},
                      services_.known.first_of(endpoint_.host));
}

void dial_race::tell_log() {
  if (!services_.options.log_warning)
    return;
  const timestamp_ms at{
      std::chrono::duration_cast<std::chrono::milliseconds>(now().time_since_epoch()).count()};
  if (const auto line = services_.denials.denied(endpoint_.host, denials_, at))
    services_.options.log_warning(*line);
}

/// Without saying which: an attempt is read by those who chose the name.
std::string dial_race::left_out() const {
  return denied_ == 1 ? "one that may not be reached" : std::to_string(denied_) + " that may not be reached";
}

void dial_race::dial_next() {
  assert(has_next());
  dial_address(addresses_[next_++]);
}

void dial_race::dial_address(const ip_address& address) {
  auto& begun = contestants_.emplace_back();
  begun.line = std::make_unique<connection>(services_.watch, services_.pool, to_, address, endpoint_.port,
                                            services_.options.sockets);
  begun.line->belong_to(*this);
  const auto result = begun.line->connect();
  if (result.state == io::reset)
    return on_connect_failed(begun);
  if (result.state == io::done)
    return on_connected(begun);
  wait_for_next();
}

/// Nobody who is left may be able to win: goes on with the next address, if there is one or may still be.
void dial_race::go_on() {
  if (has_next())
    return dial_next();
  if (!contestants_.empty())
    return wait_for_next();
  if (resolved_)
    lose();
}

void dial_race::wait_for_next() {
  const auto repeats = [](const contestant& one) { return one.line->resumption_unproven(); };
  if (has_next())
    services_.deadlines.add(due_, now() + attempt_delay);
  else if (may_resume_ && std::any_of(contestants_.begin(), contestants_.end(), repeats))
    services_.deadlines.add(due_, now() + resumption_patience_);
  else
    services_.deadlines.remove(due_);
}

void dial_race::on_due() {
  // Whose next step waits for its turn is late because of us, not of its peer.
  if (std::any_of(contestants_.begin(), contestants_.end(), [](const auto& one) { return one.step_wanted; }))
    return wait_for_next();
  if (has_next())
    return dial_next();
  may_resume_ = false;
  for (auto& one : contestants_) {
    if (!one.line->resumption_unproven())
      continue;
    one.line->forget_offered_session();
    addresses_.insert(addresses_.begin() + static_cast<std::ptrdiff_t>(next_), one.line->address());
    ++max_dials_;
  }
  go_on();
}

// -- steps --------------------------------------------------------------------------------------------------

void dial_race::on_ready(connection& which, readiness what) {
  for (auto& one : contestants_)
    if (one.line.get() == &which && (one.securing || what.writable))
      one.step_wanted = true;
  user_.on_step_wanted();
}

void dial_race::take_step() {
  const auto wants = [](const contestant& one) { return one.step_wanted; };
  const auto first = std::find_if(contestants_.begin(), contestants_.end(), wants);
  if (first == contestants_.end())
    return;
  first->step_wanted = false;
  if (std::any_of(first, contestants_.end(), wants))
    user_.on_step_wanted();
  step(*first);
}

void dial_race::step(contestant& whose) {
  if (whose.securing)
    return continue_handshake(whose);
  if (whose.line->continue_connect().state == io::done)
    on_connected(whose);
  else
    on_connect_failed(whose);
}

void dial_race::on_connected(contestant& whose) {
  const auto at = now();
  whose.line->connected(at);
  timings_.connect_us = us_between(began_, at);
  if (!endpoint_.tls)
    return win(whose);
  whose.securing = true;
  if (!whose.line->start_tls(services_.tls, may_resume_))
    return on_tls_failed(whose, "got no TLS session");
  wait_for_next();
  continue_handshake(whose);
}

void dial_race::continue_handshake(contestant& whose) {
  const auto result = whose.line->handshake();
  switch (result.state) {
  case io::done:
    return win(whose);
  case io::want_read:
  case io::want_write:
    return;
  case io::tls_failed:
    return on_tls_failed(whose, whose.line->error());
  case io::reset:
    return on_tls_failed(whose, "broke off the TLS handshake (" + whose.line->error() + ")");
  case io::closed:
  case io::cut:
    return on_tls_failed(whose, "closed the connection during the TLS handshake");
  }
}

void dial_race::on_connect_failed(contestant& whose) {
  note_shortage(whose);
  note(whose, ": " + whose.line->error());
  drop(whose);
  go_on();
}

void dial_race::note_shortage(const contestant& whose) {
  const auto& what = whose.line->shortage();
  if (!what)
    return;
  ++short_dials_;
  if (!shortage_ || !what->of_destination)
    shortage_ = what;
}

void dial_race::on_tls_failed(contestant& whose, std::string predicate) {
  if (whose.line->shortage()) {
    whose.line->forget_offered_session();
    note(whose, ": this node is short of " + whose.line->shortage()->what);
    note_shortage(whose);
    drop(whose);
    return go_on();
  }
  if (whose.line->resumption_unproven()) {
    may_resume_ = false;
    const auto address = whose.line->address();
    const bool is_the_sessions_fault = !whose.line->certificate_refused();
    whose.line->forget_offered_session();
    if (is_the_sessions_fault) {
      drop(whose);
      return dial_address(address);
    }
  }
  note(whose, " " + predicate);
  tls_failed_ = true;
  drop(whose);
  go_on();
}

void dial_race::note(const contestant& whose, const std::string& what) {
  ++failed_;
  add_part(failures_, "; ", whose.line->peer_text() + what);
}

void dial_race::drop(const contestant& whose) {
  contestants_.erase(contestants_.begin() + (&whose - contestants_.data()));
}

// -- the end ------------------------------------------------------------------------------------------------

void dial_race::win(contestant& whose) {
  const auto at = now();
  timings_.connect_us = us_between(began_, whose.line->connected_at());
  if (endpoint_.tls)
    timings_.tls_us = us_between(whose.line->connected_at(), at);
  services_.deadlines.remove(due_);
  if (addresses_.size() > 1)
    services_.known.begin_with(endpoint_.host, whose.line->address());
  auto winner = std::move(whose.line);
  contestants_.clear(); // what the others offered was in no handshake that failed
  user_.on_dialled(std::move(winner));
}

void dial_race::lose() {
  const auto& host = endpoint_.host;
  if (addresses_.empty())
    return user_.on_dial_failed(outcome::blocked,
                                is_numeric()
                                    ? denials_ + "; nothing was sent (the operator can allow a range with "
                                                 "--allow-cidr)"
                                    : host + " resolves to no address that deliveries may reach; nothing was "
                                             "sent (the node's log says to which; the operator can allow a "
                                             "range with --allow-cidr)");
  if (short_dials_ < failed_)
    services_.names.forget(host);
  if (next_ < addresses_.size()) // next time the others
    services_.known.begin_with(host, addresses_[next_]);
  std::string sentence;
  if (!tls_failed_)
    sentence = "could not connect to " + (is_numeric() ? "" : host + ": ") + failures_;
  else if (failed_ > 1)
    sentence = "none of the addresses of " + host + " could be used: " + failures_;
  else if (const auto end = failures_.find(' '); is_numeric())
    sentence = failures_;
  else
    sentence = host + " (" + failures_.substr(0, end) + ")" + failures_.substr(end);
  if (denied_ > 0)
    sentence += "; of its addresses, " + left_out() + (denied_ == 1 ? " was" : " were") + " left out";
  if (shortage_ && (!shortage_->of_destination || short_dials_ == failed_))
    return user_.on_dial_short(*std::move(shortage_), std::move(sentence));
  user_.on_dial_failed(tls_failed_ ? outcome::tls : outcome::connect, std::move(sentence));
}

std::string dial_race::waiting_for() const {
  if (addresses_.empty())
    return "waiting for the name " + endpoint_.host + " to resolve" +
           (denials_.empty() ? "" : " to other addresses than " + left_out());
  std::string connecting;
  std::string securing;
  for (const auto& one : contestants_)
    if (one.securing)
      add_part(securing, ", ",
               one.line->peer_text() + " after " +
                   std::to_string((us_between(attempt_began_, one.line->connected_at()) + 500) / 1'000) +
                   " ms");
    else
      add_part(connecting, ", ", one.line->peer_text());
  std::string result;
  if (!securing.empty())
    result = "waiting for the TLS handshake (connected to " + securing + ")";
  if (!connecting.empty())
    add_part(result, ", and ", "connecting to " + connecting);
  if (contestants_.empty())
    result = "waiting for the name " + endpoint_.host + " to resolve to more addresses";
  if (!failures_.empty())
    result += " (before it " + failures_ + ")";
  return result;
}

bool dial_race::is_numeric() const {
  return ip_address::parse(endpoint_.host).has_value();
}

std::string dial_race::peer_of(const contestant& whose) const {
  const auto peer = whose.line->peer_text();
  return is_numeric() ? peer : endpoint_.host + " (" + peer + ")";
}

dial_race::time_point dial_race::now() const {
  return time_point::clock::now();
}

} // namespace vicket
