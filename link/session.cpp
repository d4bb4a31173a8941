#include "link/session.hpp"

#include <caf/actor_cast.hpp>
#include <caf/sec.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <utility>

namespace vicket::internal {

namespace {

caf::error end_of(const std::exception_ptr& problem) {
  try {
    std::rethrow_exception(problem);
  } catch (const std::exception& known) {
    return caf::make_error(caf::sec::runtime_error, known.what());
  } catch (...) {
    return caf::make_error(caf::sec::runtime_error, "an exception of an unknown type");
  }
}

} // namespace

// -- the I/O thread's end -------------------------------------------------------------------------------------------------

std::variant<std::size_t, close_reason> link_session_owner::on_head(std::string_view bytes, bool text) {
  auto verdict = with_.judge(bytes, text);
  if (const auto* refused = std::get_if<close_reason>(&verdict))
    with_.complain("link with " + with_.socket->peer().to_string() + " is closed: " + refused->text);
  return verdict;
}

void link_session_owner::put(link_inbox::item item) {
  if (with_.inbox->put(std::move(item)))
    caf::anon_send(with_.session, caf::tick_atom_v);
}

void link_session_owner::on_message(owned_bytes message) {
  put(std::move(message));
}

void link_session_owner::on_tick() {
  put(link_inbox::tick{std::chrono::steady_clock::now()});
}

void link_session_owner::on_end(const std::string& why) {
  if (why.starts_with(broke_protocol))
    with_.complain("link with " + with_.socket->peer().to_string() + " is closed: " + why);
  put(link_inbox::ended{{}, why});
  with_.session = nullptr;
}

// -- the actor ------------------------------------------------------------------------------------------------------------

link_session::link_session(caf::actor_config& config, setup with)
    : caf::event_based_actor{config}, with_{std::move(with)} {
  set_exception_handler([this](std::exception_ptr& problem) {
    with_.socket->close({close_reason::going_away, "the node failed inside"});
    return end_of(problem);
  });
  // Who asks in words that it does not know gets no answer, and nothing is printed.
  set_default_handler(caf::drop);
}

caf::behavior link_session::make_behavior() {
  return {[this](caf::tick_atom) { look(); }};
}

void link_session::look() {
  for (auto& item : with_.inbox->take()) {
    if (const auto* message = std::get_if<owned_bytes>(&item)) {
      if (!broken_off_)
        take(*message);
    } else if (const auto* tick = std::get_if<link_inbox::tick>(&item)) {
      requests_.look(tick->now, [this](number request, turn mine) {
        refuse(request, mine, {errc::unavailable, "the node did not answer in time"});
      });
    } else if (std::holds_alternative<link_inbox::ended>(item)) {
      broken_off_ = true;
      requests_.clear();
      quit();
      return;
    }
  }
}

void link_session::break_off(std::uint16_t code, const std::string& why) {
  if (std::exchange(broken_off_, true))
    return;
  with_.complain("link with " + with_.socket->peer().to_string() + " is closed: " + why);
  with_.socket->close({code, why});
}

std::optional<link_session::turn> link_session::begin(number request, std::size_t message_bytes,
                                                      bool any_time) {
  if (requests_.contains(request)) {
    break_off(close_reason::protocol_error,
              "two requests under way have the number " + std::to_string(request));
    return std::nullopt;
  }
  return requests_.add(request, message_bytes, any_time);
}

void link_session::refuse(number request, turn mine, const refusal& why) {
  auto cut = why;
  cut.detail.resize(std::min(cut.detail.size(), max_sentence_bytes));
  answer(request, mine, [&] { return refusal_message(request, cut); });
}

} // namespace vicket::internal
