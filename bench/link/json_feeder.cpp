#include "bench/link/feeders.hpp"
#include "link/handshake.hpp"
#include "link/kinds.hpp"
#include "net/io_thread.hpp"
#include "net/link_dialer.hpp"
#include "policy/json_slices.hpp"

#include <future>
#include <limits>
#include <stdexcept>
#include <utility>

namespace vicket::bench {

using namespace vicket::internal;

namespace {

/// The engine: keeps so many batches under way until its time is over. Of the I/O thread.
class json_engine : public web_socket_owner {
public:
  json_engine(const link_load& load, std::shared_ptr<web_socket> socket)
      : load_{load}, socket_{std::move(socket)}, until_{std::chrono::steady_clock::now() + load.duration} {}

  [[nodiscard]] std::future<std::uint64_t> result() { return done_.get_future(); }

  void begin() {
    for (std::size_t i = 0; i < load_.under_way; ++i)
      send_batch_of_events();
  }

  [[nodiscard]] bool sends_text() const override { return true; }
  std::variant<std::size_t, close_reason> on_head(std::string_view, bool) override {
    return most_message_bytes;
  }
  void on_message(owned_bytes message) override {
    socket_->release({1, message.bytes.size()});
    look_at(message.bytes);
    --under_way_;
    if (std::chrono::steady_clock::now() < until_)
      send_batch_of_events();
    else if (under_way_ == 0)
      socket_->close({close_reason::normal, {}});
  }
  void on_tick() override {}
  void on_end(const std::string& why) override {
    if (under_way_ == 0 && accepted_ == number_)
      done_.set_value(accepted_);
    else
      done_.set_exception(std::make_exception_ptr(
          std::runtime_error{std::to_string(accepted_) + " of " + std::to_string(number_) +
                             " events were accepted, then the link ended: " + why}));
  }

private:
  void send_batch_of_events() {
    constexpr std::size_t event_bytes = 400;
    std::string text;
    text.reserve(load_.batch_events * event_bytes);
    text += R"({"request":)" + std::to_string(++request_) + R"(,"send":[)";
    for (std::size_t i = 0; i < load_.batch_events; ++i) {
      event_id id;
      for (std::size_t k = 0; k < 8; ++k)
        id.bytes[15 - k] = static_cast<std::uint8_t>(number_ >> (8 * k));
      ++number_;
      text += i == 0 ? R"({"connector":"crm-prod","event":"ticket.status_changed",)"
                     : R"(,{"connector":"crm-prod","event":"ticket.status_changed",)";
      text += R"("occurred_at":"2026-05-23T14:21:11.412Z","data":)";
      text += link_event_data;
      text += R"(,"workflow":"wf-7","run":"run-42","id":")";
      text += id.to_string();
      text += "\"}";
    }
    text += "]}";
    ++under_way_;
    socket_->send(owned_bytes::of(std::move(text)));
  }

  void look_at(std::string_view answer) {
    json_slices fields{answer, json_slices::kind::object};
    while (const auto field = fields.next()) {
      if (field->key != "\"results\"")
        continue;
      json_slices results{field->value, json_slices::kind::array};
      while (const auto result = results.next())
        accepted_ += result->value.starts_with(R"({"id":)") ? 1 : 0;
    }
  }

  const link_load load_;
  const std::shared_ptr<web_socket> socket_;
  const std::chrono::steady_clock::time_point until_;
  std::promise<std::uint64_t> done_;
  std::uint64_t request_ = 0;
  std::uint64_t number_ = 0;
  std::uint64_t accepted_ = 0;
  std::size_t under_way_ = 0;
};

} // namespace

std::uint64_t feed_in_json(const link_load& load) {
  auto contexts = tls_contexts::make(load.tls);
  if (const auto* why = std::get_if<std::string>(&contexts))
    throw std::runtime_error{*why};
  web_socket_limits limits;
  limits.unanswered = std::numeric_limits<std::size_t>::max();
  std::promise<std::future<std::uint64_t>> connected;
  const io_thread io{[](const std::string&) {}};
  link_dialer dialer{io, std::get<0>(std::move(contexts)), {}, limits, 64 * MiB};
  io.run([&] {
    dialer.dial({std::get<place>(parse_place("127.0.0.1:" + std::to_string(load.port))),
                 std::string{link_path}, std::string{json_protocol}},
                [&](std::variant<link_dialer::dialled, std::string> result) {
                  if (const auto* why = std::get_if<std::string>(&result)) {
                    connected.set_exception(std::make_exception_ptr(std::runtime_error{*why}));
                    return;
                  }
                  const auto& found = std::get<0>(result);
                  const auto engine = std::make_shared<json_engine>(load, found.handle());
                  connected.set_value(engine->result());
                  found.open(engine);
                  engine->begin();
                });
  });
  return connected.get_future().get().get();
}

} // namespace vicket::bench
