#include "actors/checkpoint_taker.hpp"

#include "policy/sha256.hpp"
#include "storage/partition_store.hpp"

#include <algorithm>
#include <chrono>
#include <utility>
#include <variant>

namespace vicket {

namespace {

/// It flushes, and links and copies files.
constexpr std::chrono::seconds opening_patience{120};
constexpr std::chrono::seconds reading_patience{30};

} // namespace

checkpoint_taker::checkpoint_taker(handle::pointer self, setup with) : self_{self}, with_{std::move(with)} {}

checkpoint_taker::~checkpoint_taker() {
  copy_.reset();
  if (const auto done = std::exchange(with_.done, nullptr))
    done({store_errc::away, "it was broken off"});
}

checkpoint_taker::handle::behavior_type checkpoint_taker::make_behavior() {
  self_->request(with_.from, opening_patience, open_checkpoint{with_.partition})
      .then([this](opened_checkpoint& what) { take(what); },
            [this](const caf::error& why) { fail(store_errc::away, refusal_of(why).detail); });
  return {[this](const tick&) { go_on(); }};
}

void checkpoint_taker::take(opened_checkpoint& what) {
  what_ = std::move(what);
  std::uint64_t all = 0;
  for (const auto& each : what_.files)
    all += each.bytes;
  if (what_.files.empty() || what_.files.size() > most_files)
    return fail(store_errc::foreign, "it has " + std::to_string(what_.files.size()) + " files");
  if (const auto room = with_.store->free_space();
      room.free_bytes < room.reserve_bytes || room.free_bytes - room.reserve_bytes < all)
    return fail(store_errc::full, "the disk has no room for its " + std::to_string(all) + " bytes");
  auto begun = with_.store->begin_replacement();
  if (const auto* why = std::get_if<store_status>(&begun))
    return fail(why->code, why->detail);
  copy_ = std::get<std::unique_ptr<incoming_copy>>(std::move(begun));
  with_.opened(what_.record);
  began_at_ = self_->clock().now();
  go_on();
}

void checkpoint_taker::go_on() {
  store_status status;
  while (status.ok() && file_ < what_.files.size() && offset_ == 0) {
    status = copy_->begin_file(what_.files[file_].name);
    if (!status.ok() || what_.files[file_].bytes > 0)
      break;
    status = copy_->end_file();
    ++file_;
  }
  if (!status.ok())
    return fail(status.code, status.detail);
  if (file_ == what_.files.size())
    return finish();
  self_
      ->request(with_.from, reading_patience,
                read_checkpoint{what_.id, static_cast<std::uint32_t>(file_), offset_})
      .then([this](const checkpoint_bytes& piece) { take(piece); },
            [this](const caf::error& why) { fail(store_errc::away, refusal_of(why).detail); });
}

void checkpoint_taker::take(const checkpoint_bytes& piece) {
  const auto& file = what_.files[file_];
  if (piece.bytes.size() != std::min<std::uint64_t>(file.bytes - offset_, read_checkpoint::most_bytes) ||
      sha256(piece.bytes) != piece.sha256)
    return fail(store_errc::corrupt, "its file " + file.name + " came damaged");
  auto status = copy_->append(piece.bytes);
  offset_ += piece.bytes.size();
  taken_ += piece.bytes.size();
  if (status.ok() && offset_ == file.bytes) {
    status = copy_->end_file();
    offset_ = 0;
    ++file_;
  }
  if (!status.ok())
    return fail(status.code, status.detail);
  const auto due = began_at_ + std::chrono::microseconds{taken_ * 1'000'000 / with_.bytes_per_second};
  if (const auto now = self_->clock().now(); due > now)
    self_->delayed_send(self_, due - now, tick{});
  else
    go_on();
}

void checkpoint_taker::finish() {
  self_->send(with_.from, close_checkpoint{what_.id});
  auto position = copy_->finish();
  if (const auto* why = std::get_if<store_status>(&position))
    return fail(why->code, why->detail);
  copy_.reset();
  end(with_.store->replace());
}

void checkpoint_taker::fail(store_errc code, const std::string& why) {
  if (what_.id != 0)
    self_->send(with_.from, close_checkpoint{what_.id});
  copy_.reset();
  end({code, why});
}

void checkpoint_taker::end(const store_status& how) {
  if (const auto done = std::exchange(with_.done, nullptr))
    done(how);
  self_->quit();
}

} // namespace vicket
