#include "bench/attacker/attack_connection.hpp"

#include <array>
#include <string_view>
#include <utility>

namespace vicket::bench {

namespace {

constexpr std::size_t most_answer_bytes = 8'192;

} // namespace

attack_connection::attack_connection(attack_script script, descriptor socket, tls_session tls,
                                     std::int64_t now_ns)
    : script_{std::move(script)}, stream_{std::move(socket), std::move(tls)}, since_ns_{now_ns} {}

void attack_connection::go_on(std::int64_t now_ns) {
  if (over_)
    return;
  read_all();
  if (!over_)
    act(now_ns);
  const bool has_had_its_time =
      (reached_ns_ != 0 && now_ns - reached_ns_ >= stay_ns) || now_ns - since_ns_ >= longest_ns;
  if (has_had_its_time && !script_.for_good)
    over_ = true;
}

void attack_connection::take_turn(std::int64_t now_ns) {
  has_turn_ = true;
  messages_ += std::exchange(wanted_, 0);
  go_on(now_ns);
}

/// Also does the TLS handshake.
void attack_connection::read_all() {
  static thread_local std::array<char, 16 * 1'024> piece;
  for (;;) {
    const auto got = stream_.read(piece);
    if (got.what == byte_stream::state::ended)
      over_ = true;
    if (got.what != byte_stream::state::done)
      return;
    if (at_ < script_.steps.size() && script_.steps[at_].what == attack_step::kind::await_upgrade &&
        answer_.size() < most_answer_bytes)
      answer_.append(piece.data(), got.bytes);
  }
}

void attack_connection::act(std::int64_t now_ns) {
  do {
    if (!over_ && at_ == script_.goal && reached_ns_ == 0)
      reached_ns_ = now_ns;
  } while (!over_ && take_step(now_ns));
}

/// Whether it is done, and there is another.
bool attack_connection::take_step(std::int64_t now_ns) {
  if (at_ == script_.steps.size())
    return false;
  const auto& step = script_.steps[at_];
  switch (step.what) {
  case attack_step::kind::stay:
    return false;
  case attack_step::kind::await_upgrade:
    if (!answer_.ends_with("\r\n\r\n"))
      return false;
    over_ = !answer_.starts_with("HTTP/1.1 101");
    break;
  case attack_step::kind::drip:
    if (now_ns - dripped_ns_ < drip_ns)
      return false;
    dripped_ns_ = now_ns;
    if (!say_rest(1))
      return false;
    break;
  case attack_step::kind::say:
    if (step.messages > 0 && !has_turn_) {
      wanted_ = step.messages;
      return false;
    }
    if (!say_rest(step.bytes.size()))
      return false;
    break;
  }
  next_step();
  return true;
}

/// Whether all of the step is said.
bool attack_connection::say_rest(std::size_t at_most) {
  const std::string_view bytes = script_.steps[at_].bytes;
  while (said_ < bytes.size() && at_most > 0) {
    const auto put = stream_.write(bytes.substr(said_, at_most));
    if (put.what == byte_stream::state::ended)
      over_ = true;
    if (put.what != byte_stream::state::done)
      return false;
    said_ += put.bytes;
    at_most -= put.bytes;
  }
  return said_ == bytes.size();
}

void attack_connection::next_step() {
  said_ = 0;
  has_turn_ = false;
  if (!script_.again || at_ + 1 < script_.steps.size())
    ++at_;
}

} // namespace vicket::bench
