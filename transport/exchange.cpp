#include "transport/exchange.hpp"

#include "policy/pooled_answer.hpp"
#include "transport/dial_lane.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <new>
#include <utility>

namespace vicket {

using io = connection::io;

namespace {

/// A request larger than this gives its scratch memory back.
constexpr std::size_t max_kept_scratch_bytes = 1024 * 1024;

/// What a request has besides target, host, header lines and body.
constexpr std::size_t around_bytes = 64;

answer_limits limits_of(const transport_options& options) {
  return {options.max_header_bytes, options.max_read_body_bytes, attempt::max_body_bytes};
}

std::int64_t us_between(std::chrono::steady_clock::time_point begin,
                        std::chrono::steady_clock::time_point end) {
  return std::chrono::duration_cast<std::chrono::microseconds>(end - begin).count();
}

std::string milliseconds(std::int64_t us) {
  return std::to_string((us + 500) / 1'000) + " ms";
}

} // namespace

exchange::exchange(exchange_services& services, live_list& all, posted_request&& posted)
    : services_{services}, all_{all}, request_{std::move(posted.request)}, done_{std::move(posted.done)},
      endpoint_hash_{posted.endpoint_hash}, posted_at_{posted.at},
      deadline_{this, [](void* self) { static_cast<exchange*>(self)->on_deadline(); }} {}

void exchange::start(exchange_services& services, live_list& all, posted_request posted) {
  boost::intrusive_ptr<exchange> begun;
  try {
    begun = new exchange{services, all, std::move(posted)};
  } catch (const std::bad_alloc&) { // before anything was taken out of it
    return posted.done(short_result({"memory"}));
  }
  intrusive_ptr_add_ref(begun.get()); // given back by `finish`
  all.push_back(*begun);
  try {
    begun->begin();
  } catch (const std::bad_alloc&) {
    begun->end_out_of_memory();
  }
}

void exchange::begin() {
  phase_began_ = posted_at_;
  services_.deadlines.add(deadline_, posted_at_ + std::chrono::milliseconds{request_.timeout_ms});
  to_ = &services_.pool.acquire({*request_.endpoint, endpoint_hash_});
  answer_.emplace(limits_of(services_.options));
  if (!dial_lane::has_line(*to_) && take_idle_connection(posted_at_))
    send_on_idle_connection();
  else
    services_.dials.join(*to_, this, now());
}

bool exchange::take_idle_connection(time_point now) {
  connection_ = services_.pool.take(*to_, now);
  return connection_ != nullptr;
}

void exchange::send_on_idle_connection() {
  reused_ = true;
  connection_->belong_to(*this);
  send();
}

// -- a fresh connection -------------------------------------------------------------------------------------

void exchange::dial() {
  phase_ = phase::dialling;
  dial_began_ = now();
  const dial_race::attempt_times times{posted_at_,
                                       posted_at_ + std::chrono::milliseconds{request_.timeout_ms}};
  dial_race::user& me = *this;
  const boost::intrusive_ptr<exchange> alive{this};
  try {
    race_ = std::make_unique<dial_race>(services_, *to_, *request_.endpoint, times, timings_, me);
    race_->start();
  } catch (const std::bad_alloc&) {
    end_out_of_memory();
  }
}

void exchange::on_dialled(std::unique_ptr<connection> winner) {
  const boost::intrusive_ptr<exchange> alive{this};
  connection_ = std::move(winner);
  connection_->belong_to(*this);
  race_.reset();
  send();
}

void exchange::on_dial_failed(outcome failure, std::string sentence) {
  const boost::intrusive_ptr<exchange> alive{this};
  fail(failure, std::move(sentence));
}

void exchange::on_dial_short(own_shortage what, std::string sentence) {
  const boost::intrusive_ptr<exchange> alive{this};
  end_short(std::move(what), std::move(sentence));
}

void exchange::on_step_wanted() {
  if (!std::exchange(in_lane_, true))
    services_.dials.add_step(*to_, this);
}

void exchange::take_step() {
  in_lane_ = false;
  if (!race_)
    return;
  const boost::intrusive_ptr<exchange> alive{this};
  try {
    race_->take_step();
  } catch (const std::bad_alloc&) {
    end_out_of_memory();
  }
}

// -- the request --------------------------------------------------------------------------------------------

void exchange::send() {
  if (!reused_)
    services_.dials.dial_took(*to_, now() - dial_began_);
  phase_ = phase::sending;
  // One buffer: a small request is one TLS record and one system call.
  auto& out = services_.out;
  const auto& to = *request_.endpoint;
  const auto& lines = request_.header_lines.value;
  out.clear();
  // At once: growing would leave a copy of what is secret behind.
  out.reserve(around_bytes + to.target.size() + to.host_header.size() + lines.size() +
              (request_.body ? request_.body->size() : 0));
  out.append("POST ").append(to.target).append(" HTTP/1.1\r\nHost: ").append(to.host_header).append("\r\n");
  out.append(lines).append("\r\n");
  const auto head_bytes = out.size();
  if (request_.body)
    out.append(*request_.body);
  continue_sending(out);
  ::explicit_bzero(out.data(), head_bytes);
  if (out.capacity() > max_kept_scratch_bytes)
    std::string{}.swap(out);
}

void exchange::continue_sending(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto result = connection_->write(bytes);
    touched_ = touched_ || result.state != io::reset || !connection_->shortage();
    if (result.state == io::done) {
      bytes.remove_prefix(result.bytes);
      continue;
    }
    if (result.state != io::want_write && result.state != io::want_read)
      return on_send_failed(result);
    unsent_ = secret_text{std::string{bytes}};
    return;
  }
  unsent_ = {};
  sent_ = true;
  phase_ = phase::awaiting_head;
  phase_began_ = now();
  if (!reused_) // the edge of the last bytes of the handshake was that of what came with them
    read_answer();
}

void exchange::on_send_failed(const connection::progress& failed) {
  if (!touched_)
    return end_short(*connection_->shortage(), who() + ": " + connection_->error());
  if (!reused_ && failed.state == io::tls_failed)
    return fail(outcome::tls, who() + " " + connection_->error());
  // It may have answered before it stopped listening.
  phase_ = phase::awaiting_head;
  phase_began_ = now();
  read_answer();
}

// -- the answer ---------------------------------------------------------------------------------------------

void exchange::read_answer() {
  for (;;) { // bounded by the answer's limits
    const auto result = connection_->read(services_.in);
    switch (result.state) {
    case io::done:
      if (!on_answer_bytes({services_.in.data(), result.bytes}))
        return;
      break;
    case io::want_read:
    case io::want_write:
      return;
    default:
      return on_stream_end(result);
    }
  }
}

bool exchange::on_answer_bytes(std::string_view bytes) {
  heard_at_ = now();
  if (!answer_->started())
    timings_.first_byte_us = sent_ ? us_between(phase_began_, heard_at_) : 0;
  const auto state = answer_->consume(bytes);
  if (state == answer_reader::state::reading) {
    if (answer_->head_complete())
      phase_ = phase::reading_body;
    if (!answer_->no_http())
      return true;
    if (!may_replace()) {
      on_no_http();
      return true;
    }
  }
  if (may_replace())
    replace_connection();
  else if (state == answer_reader::state::failed)
    fail(outcome::protocol, who() + " " + answer_->error());
  else
    complete();
  return false;
}

void exchange::on_no_http() {
  const auto until = heard_at_ + no_http_share;
  if (std::exchange(no_http_, true) || until >= posted_at_ + std::chrono::milliseconds{request_.timeout_ms})
    return;
  services_.deadlines.remove(deadline_);
  services_.deadlines.add(deadline_, until);
}

/// Whether what a connection from the pool brought is no verdict on this request. A 2xx is one, whatever becomes of
/// its body: it was asked for, and to deliver again would be for nothing.
bool exchange::may_replace() const {
  if (!reused_ || answer_->success())
    return false;
  return !answer_->whole() ||
         may_be_unasked(answer_->status(), answer_->says_close(), !answer_->retry_after().empty());
}

void exchange::on_stream_end(const connection::progress& end) {
  heard_at_ = now();
  if (end.state == io::closed)
    answer_->end_of_stream(answer_reader::stream_end::in_order);
  else if (end.state == io::cut)
    answer_->end_of_stream(answer_reader::stream_end::cut);
  else
    answer_->end_of_stream(answer_reader::stream_end::broken,
                           end.state == io::reset ? "broke the connection (" + connection_->error() + ")"
                                                  : connection_->error() + ", and ended the connection");
  if (may_replace())
    replace_connection();
  else if (answer_->head_complete())
    complete();
  else if (end.state == io::tls_failed)
    fail(outcome::tls, who() + " " + connection_->error());
  else
    fail(outcome::protocol, who() + " " + answer_->error());
}

void exchange::replace_connection() {
  drop_connection();
  reused_ = false; // so it happens once
  sent_ = false;
  unsent_ = {};
  answer_.emplace(limits_of(services_.options));
  timings_.first_byte_us.reset();
  dial();
}

void exchange::drop_connection() {
  connection_.reset();
}

// -- waiting ------------------------------------------------------------------------------------------------

void exchange::on_ready(connection& which, readiness what) {
  const boost::intrusive_ptr<exchange> alive{this};
  switch (phase_) {
  case phase::sending:
    if (what.readable) // the answer may come before the request's end (413)
      read_answer();
    if (what.writable && !finished_ && connection_.get() == &which && phase_ == phase::sending)
      continue_sending(std::exchange(unsent_, {}).value);
    return;
  case phase::awaiting_head:
  case phase::reading_body: // a read may have wanted to write
    return read_answer();
  case phase::starting: // these two are without a connection
  case phase::dialling:
    assert(false);
  }
}

void exchange::on_deadline() {
  const boost::intrusive_ptr<exchange> alive{this};
  const auto limit = std::to_string(request_.timeout_ms) + " ms";
  if (answer_->no_http())
    return fail(outcome::protocol, who() + " " + answer_->error());
  if (reused_) // whatever swallowed the request has forgotten the others, too: the next attempt gets a fresh one
    services_.pool.close_idle(*to_);
  const auto waiting = answer_->head_complete() ? std::string{} : waiting_for();
  if (!reused_ || answer_->head_complete()) { // on probation, half a head is no verdict
    heard_at_ = now();
    answer_->end_of_stream(answer_reader::stream_end::broken, "did not end its answer within " + limit + ",");
  }
  if (answer_->head_complete())
    complete();
  else
    fail(outcome::timeout, "no complete answer within " + limit + ": " + waiting);
}

void exchange::stop() {
  const boost::intrusive_ptr<exchange> alive{this};
  finish(stopped_result(), now());
}

http_result exchange::stopped_result() {
  http_result result;
  result.failure = outcome::connect;
  result.error = "the node is stopping";
  return result;
}

std::string exchange::waiting_for() const {
  const auto how = [this] {
    const auto peer = connection_->peer_text();
    return reused_ ? " (on a pooled connection to " + peer + ")"
                   : " (connected to " + peer + " after " +
                         milliseconds(us_between(posted_at_, connection_->connected_at())) + ")";
  };
  switch (phase_) {
  case phase::starting:
    return "waiting for a connection to " + request_.endpoint->host + "; nothing was sent";
  case phase::dialling:
    return race_->waiting_for();
  case phase::sending:
    return "sending the request" + how();
  case phase::awaiting_head:
    return (answer_->started() ? "reading the response headers" : "waiting for the response headers") + how();
  case phase::reading_body:
    return "reading the response body, " + std::to_string(answer_->body_bytes()) + " bytes so far" + how();
  }
  return {};
}

std::string exchange::who() const {
  const auto& host = request_.endpoint->host;
  const auto peer = connection_->peer_text();
  return ip_address::parse(host) ? peer : host + " (" + peer + ")";
}

exchange::time_point exchange::now() const {
  return time_point::clock::now();
}

// -- the end ------------------------------------------------------------------------------------------------

void exchange::complete() {
  http_result result;
  add_answer(result);
  if (!answer_->error().empty() && !answer_->success())
    result.error = who() + " " + answer_->error();
  const bool comes_back = answer_->reusable() && sent_ && connection_->silent_after_answer();
  if (comes_back)
    services_.pool.put(std::move(connection_), heard_at_);
  else
    connection_->say_goodbye();
  auto& lane = services_.dials;
  const auto line = comes_back ? to_->line : nullptr;
  const auto ended = heard_at_;
  finish(std::move(result), ended);
  if (line)
    lane.connection_came_back(line, ended);
}

void exchange::fail(outcome failure, std::string sentence) {
  http_result result;
  result.failure = failure;
  result.error = std::move(sentence);
  add_answer(result);
  finish(std::move(result), now());
}

void exchange::end_short(own_shortage what, std::string sentence) {
  if (touched_) // over a pooled connection that had ended, say
    return fail(outcome::connect, std::move(sentence));
  if (!what.of_destination)
    services_.ask_others_for_room();
  finish(short_result(std::move(what)), now());
}

void exchange::end_out_of_memory() {
  if (!finished_)
    end_short({"memory"}, "this node is out of memory");
}

http_result exchange::short_result(own_shortage what) {
  http_result result;
  result.shortage = std::move(what);
  return result;
}

void exchange::add_answer(http_result& result) {
  if (answer_->head_complete()) {
    result.status = answer_->status();
    result.retry_after = answer_->retry_after();
    auto kept = answer_->take_headers();
    result.headers = std::move(kept.fields);
    result.headers_truncated = kept.truncated;
  }
  result.body_bytes = answer_->body_bytes();
  result.body_truncated = answer_->body_truncated();
  result.body = answer_->take_body();
}

void exchange::finish(http_result result, time_point ended) {
  assert(!finished_);
  finished_ = true;
  services_.deadlines.remove(deadline_);
  race_.reset();
  drop_connection();
  if (to_)
    services_.pool.release(*to_);
  result.phases = timings_;
  result.duration_us = us_between(posted_at_, ended);
  all_.erase(all_.iterator_to(*this));
  done_(std::move(result));
  if (phase_ == phase::starting) { // the line holds it for a while
    request_.body.reset();
    request_.header_lines = {};
    done_ = nullptr;
  }
  intrusive_ptr_release(this);
}

} // namespace vicket
