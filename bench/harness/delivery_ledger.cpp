#include "bench/harness/delivery_ledger.hpp"

#include <algorithm>

namespace vicket::bench {

namespace {

constexpr std::size_t max_examples = 5;

/// "3 events were lost: <id>, <id>, <id>"
class complaint {
public:
  void add(const event_id& id) {
    if (++count_ <= max_examples)
      examples_ += (count_ == 1 ? "" : ", ") + id.to_string();
  }
  void say(const std::string& what, std::vector<std::string>& to) const {
    if (count_ > 0)
      to.push_back(std::to_string(count_) + " event(s) " + what + ": " + examples_ +
                   (count_ > max_examples ? ", …" : ""));
  }

private:
  std::uint64_t count_ = 0;
  std::string examples_;
};

} // namespace

delivery_ledger::entry& delivery_ledger::entry_of(std::uint32_t index) {
  if (entries_.size() <= index)
    entries_.resize(std::max<std::size_t>(index + 1, entries_.size() * 2));
  return entries_[index];
}

void delivery_ledger::promised(std::uint32_t index) {
  auto& one = entry_of(index);
  promised_ += one.promised ? 0 : 1;
  one.promised = true;
}

void delivery_ledger::arrived(const arrival& request) {
  checked_ += request.signature == arrival::not_checked ? 0 : 1;
  forged_ += request.signature == arrival::forged ? 1 : 0;
  const auto index = source_.index_of(event_id{request.id});
  if (!index) {
    ++unknown_;
    return;
  }
  if (request.status < 200 || request.status > 299)
    return;
  auto& one = entry_of(*index);
  delivered_ += one.delivered == 0 ? 1 : 0;
  one.delivered = static_cast<std::uint8_t>(std::min(one.delivered + 1, 255));
}

std::vector<std::string> delivery_ledger::violations(bool may_double) const {
  complaint lost;
  complaint doubled;
  complaint invented;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const auto id = [&] { return source_.id(static_cast<std::uint32_t>(i)); };
    if (entries_[i].promised && entries_[i].delivered == 0)
      lost.add(id());
    if (entries_[i].delivered > 1 && !may_double)
      doubled.add(id());
    if (entries_[i].delivered > 0 && !entries_[i].promised)
      invented.add(id());
  }
  std::vector<std::string> result;
  lost.say("were accepted and never came to the sink", result);
  doubled.say("were delivered more than once", result);
  invented.say("were delivered without having been accepted", result);
  if (forged_ > 0)
    result.push_back(std::to_string(forged_) + " request(s) had a signature that does not fit");
  if (unknown_ > 0)
    result.push_back(std::to_string(unknown_) + " request(s) had an id that nobody sent");
  return result;
}

} // namespace vicket::bench
