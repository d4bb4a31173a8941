#pragma once

#include <deque>
#include <unordered_map>
#include <utility>

namespace vicket {

/// First in, first out for each key, and the keys in a round: one key's crowd keeps no other waiting for longer than one
/// turn of each key. O(1). Not thread-safe.
template <class Key, class Item>
class fair_queue {
public:
  void push(const Key& key, Item item) {
    auto& of_key = items_[key];
    of_key.push_back(std::move(item));
    if (of_key.size() == 1)
      round_.push_back(key);
  }

  [[nodiscard]] bool empty() const { return round_.empty(); }

  /// What `pop` would give. Must not be empty.
  [[nodiscard]] const Item& front() const { return items_.find(round_.front())->second.front(); }

  /// Must not be empty.
  [[nodiscard]] Item pop() {
    const auto key = std::move(round_.front());
    round_.pop_front();
    const auto of_key = items_.find(key);
    auto item = std::move(of_key->second.front());
    of_key->second.pop_front();
    if (of_key->second.empty())
      items_.erase(of_key);
    else
      round_.push_back(key);
    return item;
  }

  /// Takes out what `pop` would give as long as `gone` says so, without its key's turn.
  template <class Predicate>
  void drop_front_while(Predicate gone) {
    while (!round_.empty()) {
      const auto of_key = items_.find(round_.front());
      auto& items = of_key->second;
      while (!items.empty() && gone(std::as_const(items.front())))
        items.pop_front();
      if (!items.empty())
        return;
      items_.erase(of_key);
      round_.pop_front();
    }
  }

  void clear() {
    round_.clear();
    items_.clear();
  }

private:
  // Invariant: the round has each key of items_ once, and none of their queues is empty.
  std::unordered_map<Key, std::deque<Item>> items_;
  std::deque<Key> round_;
};

} // namespace vicket
