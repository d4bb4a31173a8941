#include "actors/checkpoint_source.hpp"

#include "policy/sha256.hpp"
#include "storage/partition_store.hpp"

#include <caf/actor_cast.hpp>

#include <chrono>
#include <utility>
#include <variant>

namespace vicket {

namespace {

constexpr std::chrono::milliseconds idle{open_checkpoint::idle_ms};
constexpr std::chrono::milliseconds look_ms{5'000};

caf::error no_checkpoint(std::uint64_t id) {
  return make_refusal(errc::not_found, "checkpoint " + std::to_string(id) + " is not open (any more)");
}

} // namespace

checkpoint_source::checkpoint_source(handle::pointer self, setup with)
    : self_{self}, with_{std::move(with)}, prepared_{outgoing_copy::prepare_folder(with_.folder,
                                                                                   with_.environment)} {}

checkpoint_source::handle::behavior_type checkpoint_source::make_behavior() {
  return {
      [this](const open_checkpoint& request) { return open(request); },
      [this](const read_checkpoint& request) { return read(request); },
      [this](const close_checkpoint& request) { close(request.id); },
      [this](lend_checkpoints& news) { make_ = std::move(news.make); },
      [this](checkpoint_made& news) { made(news); },
      [this](const tick&) {
        look_under_way_ = false;
        look();
      },
  };
}

caf::result<opened_checkpoint> checkpoint_source::open(const open_checkpoint& request) {
  if (request.partition >= with_.stores.size() || !make_)
    return make_refusal(errc::not_owner, "this node has no partition " + std::to_string(request.partition));
  if (!prepared_.ok())
    return make_refusal(errc::unavailable, prepared_.detail);
  if (open_.size() >= most_open)
    return make_refusal(errc::overloaded, std::to_string(most_open) + " checkpoints of this node are open");
  // So that little has to be copied of what is in its logs alone.
  if (const auto status = with_.stores[request.partition]->flush(); !status.ok())
    return make_refusal(errc::unavailable, status.detail);
  const auto id = ++last_id_;
  auto& one = open_[id];
  one.folder = with_.folder / std::to_string(id);
  one.promise = self_->make_response_promise<opened_checkpoint>();
  one.used_at = self_->clock().now();
  const auto promise = one.promise;
  make_(request.partition, one.folder,
        [to = caf::actor_cast<handle>(self_), id](std::variant<std::uint64_t, store_status> result) {
          caf::anon_send(to, checkpoint_made{id, std::move(result)});
        });
  schedule_look();
  return promise;
}

void checkpoint_source::made(checkpoint_made& news) {
  // Also of one that has been given up meanwhile: its folder goes.
  auto files = outgoing_copy::open(with_.folder / std::to_string(news.id), with_.environment);
  const auto found = open_.find(news.id);
  if (found == open_.end())
    return;
  auto* why = std::get_if<store_status>(&news.record);
  if (why == nullptr)
    why = std::get_if<store_status>(&files);
  if (why != nullptr) {
    const auto code = why->code == store_errc::foreign ? errc::not_owner : errc::unavailable;
    found->second.promise.deliver(make_refusal(code, why->detail));
    open_.erase(found);
    return;
  }
  auto& one = found->second;
  one.files = std::get<std::unique_ptr<outgoing_copy>>(std::move(files));
  one.used_at = self_->clock().now();
  opened_checkpoint answer{news.id, std::get<std::uint64_t>(news.record), {}};
  for (const auto& each : one.files->files())
    answer.files.push_back({each.name, each.bytes});
  one.promise.deliver(std::move(answer));
}

caf::result<checkpoint_bytes> checkpoint_source::read(const read_checkpoint& request) {
  const auto found = open_.find(request.id);
  if (found == open_.end() || !found->second.files)
    return no_checkpoint(request.id);
  found->second.used_at = self_->clock().now();
  auto bytes = found->second.files->read(request.file, request.offset, read_checkpoint::most_bytes);
  if (auto* why = std::get_if<store_status>(&bytes))
    return make_refusal(why->code == store_errc::foreign ? errc::not_found : errc::unavailable, why->detail);
  checkpoint_bytes answer;
  answer.bytes = std::get<std::string>(std::move(bytes));
  answer.sha256 = sha256(answer.bytes);
  return answer;
}

void checkpoint_source::look() {
  const auto now = self_->clock().now();
  for (auto at = open_.begin(); at != open_.end();) {
    if (now - at->second.used_at < idle) {
      ++at;
      continue;
    }
    if (!at->second.files)
      at->second.promise.deliver(make_refusal(errc::unavailable, "it could not be made in time"));
    at = open_.erase(at);
  }
  if (!open_.empty())
    schedule_look();
}

void checkpoint_source::schedule_look() {
  if (!std::exchange(look_under_way_, true))
    self_->delayed_send(self_, look_ms, tick{});
}

/// One that is not there yet is closed by who is waited for.
void checkpoint_source::close(std::uint64_t id) {
  if (const auto found = open_.find(id); found != open_.end() && found->second.files)
    open_.erase(found);
}

} // namespace vicket
