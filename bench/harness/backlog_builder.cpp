#include "bench/harness/backlog_builder.hpp"

#include "policy/connector_secrets.hpp"
#include "policy/envelope.hpp"
#include "policy/partitioning.hpp"
#include "storage/data_folder.hpp"
#include "storage/partition_store.hpp"
#include "storage/secret_key.hpp"

#include <cstddef>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>

namespace vicket::bench {

namespace {

constexpr std::size_t changes_per_commit = 2'000; // about 2 MB: half of what a busy node commits at once
constexpr std::size_t memtable_bytes = 48u << 20;
constexpr std::uint32_t accepted_per_s = 1'000;

/// Scatters consecutive numbers: next attempts are jittered, so events don't become due in the order they came in.
std::uint64_t scattered(std::uint64_t x) {
  x = (x ^ (x >> 33)) * 0xff51afd7ed558ccdULL; // half of the finaliser of MurmurHash3
  return x ^ (x >> 33);
}

template <class T>
T opened(std::variant<T, store_status> given) {
  if (const auto* why = std::get_if<store_status>(&given))
    throw std::runtime_error(why->detail);
  return std::get<T>(std::move(given));
}

stored_event event_from(const event_source& source, std::uint32_t index, timestamp_ms accepted_at) {
  auto sent = source.event(index);
  stored_event made;
  made.id = source.id(index);
  made.envelope = std::make_shared<const std::string>(
      std::get<std::string>(compose_envelope(sent, made.id, source.envelope_bytes())));
  made.connector = std::move(sent.connector);
  made.event = std::move(sent.event);
  made.workflow = std::move(sent.workflow);
  made.run = std::move(sent.run);
  made.accepted_at = accepted_at;
  return made;
}

attempt failed_attempt(timestamp_ms accepted_at, timestamp_ms next_attempt_at) {
  attempt made;
  made.number = 1;
  made.started_at = accepted_at + 2;
  made.duration_us = 1'200;
  made.phases.first_byte_us = 900;
  made.result = outcome::http_status;
  made.status = 503;
  made.error = "the endpoint answered 503; only 2xx is success";
  made.response_body = "sink: 503\n";
  made.response_body_bytes = made.response_body.size();
  made.next_attempt_at = next_attempt_at;
  return made;
}

} // namespace

class backlog_builder::partition {
public:
  explicit partition(std::filesystem::path folder, std::uint32_t partitions,
                     std::shared_ptr<const secret_box> secrets)
      : secrets_{std::move(secrets)} {
    store_options options;
    options.folder = std::move(folder);
    options.write_buffer_bytes = memtable_bytes / partitions; // as the node divides it
    options.secrets = secrets_;
    store_ = opened(partition_store::open(std::move(options)));
  }

  void put(connector value) {
    seal_secrets(value, *secrets_);
    batch_.put_connector(value);
    if (++changes_in_batch_ >= changes_per_commit)
      commit();
  }

  void add(const event_source& source, std::uint32_t index, const backlog_times& times) {
    const auto accepted_at = times.accepted_at + std::int64_t{index} * 1'000 / accepted_per_s;
    const auto wait_ms = scattered(index) % static_cast<std::uint64_t>(times.due_spread_ms);
    auto event = event_from(source, index, accepted_at);
    event.sequence = store_->allocate_sequence();
    batch_.add_event(event, false);
    stored_attempt made;
    made.sequence = store_->allocate_sequence();
    made.event_sequence = event.sequence;
    made.state_after = event_state::pending;
    made.value = failed_attempt(accepted_at, times.first_due + static_cast<std::int64_t>(wait_ms));
    batch_.add_attempt(event.connector, made, {event.accepted_at, event.sequence}, false,
                       write_batch::attempt_index::log, event.accepted_at);
    if (++changes_in_batch_ >= changes_per_commit)
      commit();
  }

  void commit() {
    if (batch_.empty())
      return;
    // All of them are in the due index, so a restart has nothing to scan.
    if (const auto status = store_->commit(batch_, store_->next_sequence()); !status.ok())
      throw std::runtime_error(status.detail);
    batch_.clear();
    changes_in_batch_ = 0;
  }

private:
  std::shared_ptr<const secret_box> secrets_;
  std::unique_ptr<partition_store> store_;
  write_batch batch_;
  std::size_t changes_in_batch_ = 0;
};

backlog_builder::backlog_builder(const std::filesystem::path& data_dir, std::uint32_t partitions)
    : folder_{opened(data_folder::open(data_dir, partitions))} {
  const auto count = folder_->partitions();
  const auto secrets = opened(open_secret_box(*folder_, {}));
  for (std::uint32_t i = 0; i < count; ++i)
    partitions_.push_back(std::make_unique<partition>(folder_->partition_path(i), count, secrets));
}

backlog_builder::~backlog_builder() = default;

backlog_builder::partition& backlog_builder::partition_for(const connector_id& id) const {
  return *partitions_[partition_of(id, static_cast<std::uint32_t>(partitions_.size()))];
}

void backlog_builder::put(const std::vector<connector>& wanted) {
  put(static_cast<std::uint32_t>(wanted.size()), [&](std::uint32_t i) { return wanted[i]; });
}

void backlog_builder::put(std::uint32_t count, const std::function<connector(std::uint32_t)>& make) {
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto one = make(i);
    partition_for(one.id).put(one);
  }
  for (const auto& each : partitions_)
    each->commit();
}

void backlog_builder::add(const event_source& source, std::uint32_t first, std::uint32_t count,
                          const backlog_times& times) {
  std::vector<std::future<void>> running; // a thread each: filling memtables is what takes the time
  for (const auto& each : partitions_)
    running.push_back(std::async(std::launch::async, [&, into = each.get()] {
      for (auto index = first; index < first + count; ++index)
        if (&partition_for(source.connector_of(index)) == into)
          into->add(source, index, times);
      into->commit();
    }));
  for (auto& one : running)
    one.get();
}

} // namespace vicket::bench
