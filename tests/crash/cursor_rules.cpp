// A reader of the feed that keeps its cursor in a file and is killed: nothing is missed, and nothing comes twice but
// what it had not yet saved.
#include "tests/crash/cursor_rules.hpp"

#include <map>
#include <set>
#include <utility>

namespace vicket::crash {

namespace {

std::string text_of(const feed_key& key) {
  return "attempt " + std::to_string(std::get<2>(key)) + " of event " + std::get<1>(key) + " for " +
         std::get<0>(key);
}

class reader_check {
public:
  void take(const follower_record& one) {
    switch (one.what) {
    case follower_record::kind::start:
      return start(one.cursor);
    case follower_record::kind::entry:
      return entry({one.connector, one.id, one.attempt});
    case follower_record::kind::gap:
      return complain("the feed has no gap without retention", "it says that it misses something", {});
    case follower_record::kind::page:
      pages_[one.cursor] = read_.size();
      return;
    }
  }

  void finish(const std::vector<feed_key>& whole) {
    const std::set<feed_key> seen(read_.begin(), read_.end());
    for (const auto& key : whole)
      if (!seen.contains(key))
        complain("a reader that is killed misses nothing", text_of(key) + " never came", std::get<1>(key));
  }

  std::vector<violation> found;

private:
  void start(const std::string& cursor) {
    const auto page = pages_.find(cursor);
    if (!cursor.empty() && page == pages_.end())
      return complain("a reader goes on after the cursor that it saved", "it starts after an unknown one",
                      {});
    // What follows the cursor may come again; what came before it may not.
    const auto saved = cursor.empty() ? 0 : page->second;
    known_ = {read_.begin(), read_.begin() + static_cast<std::ptrdiff_t>(saved)};
    read_.resize(saved);
    std::erase_if(pages_, [saved](const auto& one) { return one.second > saved; });
    last_.clear();
  }

  void entry(const feed_key& key) {
    if (!known_.insert(key).second)
      complain("a reader that is killed gets nothing twice but what it had not saved",
               text_of(key) + " came twice", std::get<1>(key));
    auto& last = last_[{std::get<0>(key), std::get<1>(key)}];
    if (last >= std::get<2>(key))
      complain("in the feed each event's attempts rise",
               text_of(key) + " came after attempt " + std::to_string(last), std::get<1>(key));
    last = std::get<2>(key);
    read_.push_back(key);
  }

  void complain(std::string rule, std::string detail, std::string id) {
    found.push_back({std::move(rule), std::move(detail), std::move(id)});
  }

  std::vector<feed_key> read_;               ///< up to now, without what a restart gave up
  std::set<feed_key> known_;                 ///< all of `read_`, to find what comes twice
  std::map<std::string, std::size_t> pages_; ///< by cursor: how much of `read_` was before it
  std::map<std::pair<std::string, std::string>, std::uint32_t>
      last_; ///< attempt of each event, since the start
};

} // namespace

std::vector<violation> check_follower(const std::vector<follower_record>& records,
                                      const std::vector<feed_key>& whole) {
  reader_check check;
  for (const auto& one : records)
    check.take(one);
  check.finish(whole);
  return std::move(check.found);
}

} // namespace vicket::crash
