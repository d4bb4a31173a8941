#include "bench/sink/sink_connection.hpp"

#include "bench/sink/answer_text.hpp"

#include <chrono>
#include <utility>

namespace vicket::bench {

namespace {

/// Then others get their turn, however fast this one sends: 1 MiB.
constexpr int max_reads_per_turn = 64;
/// Of requests behind one that waits; a client that sends more is cut off.
constexpr std::size_t max_kept_bytes = max_request_bytes + 16 * 1'024;

std::uint64_t monotonic_ns() {
  const auto since_start = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::nanoseconds{since_start}.count());
}

/// Emptied, and its memory given back: an assignment would keep it.
void release(std::string& bytes) {
  std::string{}.swap(bytes);
}

} // namespace

sink_connection::sink_connection(descriptor socket, tls_session tls, bool verify_all) noexcept
    : stream_{std::move(socket), std::move(tls)}, verify_all_{verify_all} {}

sink_connection::need sink_connection::serve(sink_workspace& space) {
  if (!output_.empty()) {
    write(output_);
    if (const auto stop = obstacle())
      return *stop;
    release(output_);
    take({}, space);
    if (const auto stop = obstacle())
      return *stop;
  }
  for (int reads = 0; reads < max_reads_per_turn; ++reads) {
    const auto got = stream_.read(space.received);
    if (got.what != byte_stream::state::done)
      return {.readable = got.what == byte_stream::state::wait_to_read,
              .writable = got.what == byte_stream::state::wait_to_write};
    new_ = false;
    take({space.received.data(), got.bytes}, space);
    if (const auto stop = obstacle())
      return *stop;
    if (!stream_.holds_more())
      return {.readable = true};
  }
  return {.another_turn = true};
}

std::uint32_t sink_connection::take_delay_ms() {
  return std::exchange(delay_ms_, 0);
}

sink_connection::need sink_connection::answer_delayed(sink_workspace& space) {
  waits_ = waiting::no;
  answer(delayed_status_, space);
  if (!output_.empty()) { // answers before it are on their way still
    output_ += std::exchange(space.answers, {});
    return {.writable = true};
  }
  take({}, space);
  if (const auto stop = obstacle())
    return *stop;
  return {.readable = true, .another_turn = stream_.holds_more()};
}

std::optional<sink_connection::need> sink_connection::obstacle() {
  if (over_)
    return need{};
  if (!output_.empty())
    return need{.writable = true};
  if (last_answer_) {
    stream_.finish();
    return need{};
  }
  return std::nullopt;
}

void sink_connection::take(std::string_view bytes, sink_workspace& space) {
  if (input_.empty()) { // the usual case: whole requests, answered where they were read to
    bytes.remove_prefix(answer_complete(bytes, space));
    input_.append(bytes);
  } else {
    input_.append(bytes);
    input_.erase(0, answer_complete(input_, space));
    if (input_.empty())
      release(input_);
  }
  if (input_.size() > max_kept_bytes)
    over_ = true;
  write(space.answers);
  if (!space.answers.empty())
    output_ = std::exchange(space.answers, {});
}

/// How many bytes they were.
std::size_t sink_connection::answer_complete(std::string_view bytes, sink_workspace& space) {
  std::size_t used = 0;
  while (used < bytes.size() && waits_ == waiting::no && !last_answer_) {
    const auto parsed = parser_.parse(bytes.substr(used));
    if (parsed.what == parse_result::outcome::incomplete)
      return used;
    if (parsed.what == parse_result::outcome::refused) {
      append_answer(space.answers, parsed.status, persistence::closes);
      last_answer_ = true;
      break;
    }
    used += parsed.bytes;
    receive(parsed.value, space);
  }
  return last_answer_ ? bytes.size() : used;
}

void sink_connection::receive(const request& value, sink_workspace& space) {
  const auto wanted = space.desk.receive(value, verify_all_, monotonic_ns());
  http_1_0_ = value.http_1_0;
  keep_alive_ = value.keep_alive;
  if (wanted.status == 0) {
    waits_ = waiting::forever;
  } else if (wanted.delay_ms != 0) {
    waits_ = waiting::a_while;
    delayed_status_ = wanted.status;
    delay_ms_ = wanted.delay_ms;
  } else {
    answer(wanted.status, space);
  }
}

void sink_connection::answer(std::uint16_t status, sink_workspace& space) {
  const auto open = http_1_0_ ? persistence::stays : persistence::implied;
  append_answer(space.answers, status, keep_alive_ ? open : persistence::closes);
  last_answer_ = !keep_alive_;
}

/// What the socket has no room for stays in `bytes`.
void sink_connection::write(std::string& bytes) {
  std::size_t written = 0;
  while (written < bytes.size() && !over_) {
    const auto sent = stream_.write(std::string_view{bytes}.substr(written));
    if (sent.what == byte_stream::state::wait_to_write)
      break;
    over_ = sent.what != byte_stream::state::done;
    written += sent.bytes;
  }
  bytes.erase(0, written);
}

} // namespace vicket::bench
