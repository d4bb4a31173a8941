#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>
#include <vector>

namespace vicket {

/// How much history a partition keeps of each connector, and from where on in its log, so that no connector's takes more
/// than a budget. Connectors are hashes of their names here, so that what is stored needs no names; what counts are bytes
/// at positions of the log, which rise.
///
/// An account has stretches of the log, each with the bytes of answers and of attempts in it. When their sum is beyond the
/// budget, the answers of the oldest stretch that has any are dropped, and where none but the last has, the attempts of the
/// oldest: a 64th of the budget at a time. The last stretch is never dropped.
///
/// A connector has an account once it has a 1,024th of the budget. Until then it is counted together with others, so that
/// one with little costs nothing: what it had until then is never counted, nor is what it had of that before a restart. At
/// most `limits::accounts` have one: where there are more, those with few bytes go, and theirs are not counted then.
///
/// Accounts are stored with the rounds, not each time they change, but when they have been waiting for so many bytes or
/// positions, or drop something; a restart counts again what came since.
class history_ledger {
public:
  struct limits {
    std::uint64_t budget_bytes = std::uint64_t{1} << 30; ///< for each connector
    std::size_t accounts = 16'384;                       ///< in memory about 200 bytes each, 5 KB when full
    /// What a restart counts again at most, about.
    std::uint64_t lag_bytes = 32u << 20;
    std::uint64_t lag_positions = 50'000;
  };

  struct stretch {
    std::uint64_t first = 0; ///< position
    std::uint64_t answer_bytes = 0;
    std::uint64_t attempt_bytes = 0;

    [[nodiscard]] std::uint64_t bytes() const noexcept { return answer_bytes + attempt_bytes; }
    friend bool operator==(const stretch&, const stretch&) = default;
  };

  /// As it is stored.
  struct account {
    std::uint64_t answers_from = 0; ///< answers at positions below are dropped
    std::uint64_t attempts_from =
        0;                        ///< and so are the attempts of events that were settled at positions below
    std::uint64_t counted_to = 0; ///< what is at positions below is in the stretches, or dropped
    std::vector<stretch> stretches;

    friend bool operator==(const account&, const account&) = default;
  };

  explicit history_ledger(limits with);

  /// One that is stored. Before anything is added.
  void load(std::uint64_t connector, account known);
  /// An attempt is kept, durably: what it answered, and, where it settled its event, what all of its attempts take without
  /// their answers. One that is counted already is passed over.
  void add(std::uint64_t connector, std::uint64_t position, std::uint64_t answer_bytes,
           std::uint64_t attempt_bytes);
  /// Retention forgot what is below.
  void forget_below(std::uint64_t position);

  /// An account that is to be stored; without a value it is to be removed.
  struct change {
    std::uint64_t connector = 0;
    std::optional<account> value;
    std::uint64_t position = 0;  ///< the first that was not stored before
    bool drops_attempts = false; ///< more of them than when it was stored before
  };
  /// What has to go into the next round, at most `limit` of them, in a log whose durable part ends before `end`.
  [[nodiscard]] std::vector<change> take_changes(std::uint64_t end, std::size_t limit);
  /// The round that held them is not there after all.
  void put_back(const std::vector<change>& changes);

  /// Once the changes that were taken are stored: what a restart need not count again is below.
  [[nodiscard]] std::uint64_t counted_below(std::uint64_t end) const;

  [[nodiscard]] const account* find(std::uint64_t connector) const;
  [[nodiscard]] std::size_t accounts() const noexcept { return accounts_.size(); }

  void check() const; ///< the invariants below; walks over everything

private:
  struct entry {
    account value;
    std::uint64_t bytes = 0;          ///< of all its stretches
    std::uint64_t changed_number = 0; ///< of its place in changed_; 0: it is stored as it is
    std::uint64_t changed_position = 0;
    std::uint64_t attempts_from_stored = 0;
    bool stored = false;
  };
  struct changed_place {
    std::uint64_t connector = 0;
    std::uint64_t number = 0;       ///< another one than the account's: it was stored, or went, since
    std::uint64_t position = 0;     ///< the first that is not stored
    std::uint64_t bytes_before = 0; ///< that were counted, of all connectors
  };
  using map = std::unordered_map<std::uint64_t, entry>;

  [[nodiscard]] std::uint64_t stretch_bytes() const noexcept;
  [[nodiscard]] entry* admit(std::uint64_t connector, std::uint64_t bytes);
  [[nodiscard]] bool drop_something(entry& of) const;
  [[nodiscard]] map::iterator find_victim();
  void remove(map::iterator which);
  [[nodiscard]] const entry* entry_of(const changed_place& place) const;
  [[nodiscard]] bool waits_too_long(const changed_place& place, std::uint64_t end) const;
  [[nodiscard]] change take(std::uint64_t connector, entry& of);

  // Invariants:
  // - an entry's bytes are the sum of its stretches, whose positions rise, from attempts_from on and below counted_to; they
  //   are within the budget, unless it is one stretch; stretches below answers_from have no answers;
  // - an entry with a number has one place of that number in changed_, whose positions rise;
  // - accounts_ has at most limits::accounts entries.
  limits with_;
  map accounts_;
  std::deque<changed_place> changed_;
  std::vector<std::uint64_t> urgent_;  ///< accounts that drop something which is not stored yet
  std::vector<std::uint64_t> removed_; ///< stored accounts of which nothing is left
  std::uint64_t counted_bytes_ = 0;
  std::uint64_t last_number_ = 0;
  std::size_t next_victim_ = 0;      ///< a bucket of accounts_
  std::vector<std::uint64_t> small_; ///< bytes of those without an account, many of them together
};

} // namespace vicket
