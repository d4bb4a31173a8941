#include "storage/settings_snapshot.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace vicket {

namespace {

bool is_before(const settings_snapshot::entry_ptr& entry, const setting_key& key) {
  return entry->key < key;
}

} // namespace

/// Steps through the entries, or over a whole chunk at its beginning.
class settings_snapshot::cursor {
public:
  explicit cursor(const std::vector<chunk_ptr>& chunks) : chunk_{chunks.begin()}, end_{chunks.end()} {}

  [[nodiscard]] bool at_end() const { return chunk_ == end_; }
  [[nodiscard]] const entry_ptr& operator*() const { return (**chunk_)[in_chunk_]; }
  [[nodiscard]] const chunk* at_begin_of() const { return in_chunk_ == 0 ? chunk_->get() : nullptr; }
  void next() {
    if (++in_chunk_ == (*chunk_)->size())
      next_chunk();
  }
  void next_chunk() {
    ++chunk_;
    in_chunk_ = 0;
  }

private:
  std::vector<chunk_ptr>::const_iterator chunk_;
  std::vector<chunk_ptr>::const_iterator end_;
  std::size_t in_chunk_ = 0;
};

std::shared_ptr<const settings_snapshot> settings_snapshot::none() {
  static const auto empty = std::make_shared<const settings_snapshot>();
  return empty;
}

std::shared_ptr<const settings_snapshot> settings_snapshot::with(const std::vector<change>& changes) const {
  auto next = std::make_shared<settings_snapshot>(*this);
  for (const auto& each : changes)
    next->apply(each);
  return next;
}

/// The one that has the key, or would have it.
std::size_t settings_snapshot::chunk_of(const setting_key& key) const {
  const auto found = std::upper_bound(
      chunks_.begin(), chunks_.end(), key,
      [](const setting_key& wanted, const chunk_ptr& each) { return wanted < each->front()->key; });
  return found == chunks_.begin() ? 0 : static_cast<std::size_t>(found - chunks_.begin()) - 1;
}

void settings_snapshot::apply(const change& one) {
  const auto at = chunk_of(one.key);
  auto next = at < chunks_.size() ? *chunks_[at] : chunk{};
  const auto place = std::lower_bound(next.begin(), next.end(), one.key, is_before);
  const bool is_there = place != next.end() && (*place)->key == one.key;
  if (!is_there && !one.value)
    return;
  if (is_there)
    bytes_ -= bytes_of(**place);
  if (one.value)
    bytes_ += bytes_of(*one.value);
  if (is_there && one.value) {
    *place = one.value;
  } else if (is_there) {
    next.erase(place);
    --size_;
    if (--counts_[one.key.kind] == 0)
      counts_.erase(one.key.kind);
  } else {
    next.insert(place, one.value);
    ++size_;
    ++counts_[one.key.kind];
  }
  const auto position = chunks_.begin() + static_cast<std::ptrdiff_t>(at);
  if (next.empty()) {
    chunks_.erase(position);
  } else if (chunks_.empty()) {
    chunks_.push_back(std::make_shared<const chunk>(std::move(next)));
  } else if (next.size() <= max_chunk) {
    *position = std::make_shared<const chunk>(std::move(next));
  } else {
    const auto middle = next.begin() + static_cast<std::ptrdiff_t>(next.size() / 2);
    auto upper = std::make_shared<const chunk>(middle, next.end());
    *position = std::make_shared<const chunk>(next.begin(), middle);
    chunks_.insert(position + 1, std::move(upper));
  }
}

settings_snapshot::entry_ptr settings_snapshot::find(const setting_key& key) const {
  if (chunks_.empty())
    return nullptr;
  const auto& in = *chunks_[chunk_of(key)];
  const auto place = std::lower_bound(in.begin(), in.end(), key, is_before);
  return place != in.end() && (*place)->key == key ? *place : nullptr;
}

std::size_t settings_snapshot::count(setting_kind kind) const {
  const auto found = counts_.find(kind);
  return found == counts_.end() ? 0 : found->second;
}

void settings_snapshot::visit_after(const setting_key& after,
                                    const std::function<bool(const entry_ptr&)>& visit) const {
  for (auto at = chunk_of(after); at < chunks_.size(); ++at)
    for (const auto& each : *chunks_[at])
      if (after < each->key && !visit(each))
        return;
}

void settings_snapshot::visit_changes(const settings_snapshot& before,
                                      const std::function<void(const change&)>& visit) const {
  cursor old{before.chunks_};
  cursor now{chunks_};
  while (!old.at_end() || !now.at_end()) {
    if (old.at_end() || (!now.at_end() && (*now)->key < (*old)->key)) {
      visit({(*now)->key, *now});
      now.next();
    } else if (now.at_end() || (*old)->key < (*now)->key) {
      visit({(*old)->key, nullptr});
      old.next();
    } else if (old.at_begin_of() != nullptr && old.at_begin_of() == now.at_begin_of()) {
      old.next_chunk();
      now.next_chunk();
    } else {
      if (*old != *now)
        visit({(*now)->key, *now});
      old.next();
      now.next();
    }
  }
}

} // namespace vicket
