// What the head of the partition `settings` does: changes are part of its rounds, and reads are of what is durable.

#include "actors/persistence_answers.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

namespace vicket {

namespace {

refusal no_setting(const setting_key& key) {
  return {errc::not_found, "there is none with the id '" + key.id + "'"};
}

refusal unavailable(const std::string& why) {
  return {errc::unavailable, why};
}

} // namespace

caf::result<void> persistence::put(put_setting& request) {
  if (failed_ || draining_)
    return make_refusal(unavailable("the node is stopping"));
  if (auto no = rounds_.put_setting(std::move(request.value)))
    return make_refusal(*no);
  return answer_with_round<void>([this](auto& promise) { settle(promise, std::nullopt); });
}

caf::result<void> persistence::remove(const delete_setting& request) {
  if (failed_ || draining_)
    return make_refusal(unavailable("the node is stopping"));
  std::optional<refusal> answer;
  if (!rounds_.delete_setting(request.key))
    answer = no_setting(request.key); // of what is deleted by an unfinished round only when that is durable
  return answer_with_round<void>([this, answer](auto& promise) { settle(promise, answer); });
}

/// Also one that nothing was found for: the delete that took it may have been this request's first sending, a moment ago.
void persistence::settle(caf::typed_response_promise<void> promise, std::optional<refusal> answer) {
  const std::chrono::milliseconds settles{with_.settings_settle_ms};
  settling_.push_back({self_->clock().now() + settles, std::move(promise), std::move(answer)});
  if (settles.count() == 0)
    answer_settled();
  else
    self_->delayed_send(self_, settles, settings_settled{});
}

void persistence::answer_settled() {
  const auto now = self_->clock().now();
  for (; !settling_.empty() && settling_.front().at <= now; settling_.pop_front()) {
    auto& one = settling_.front();
    if (one.answer)
      one.promise.deliver(make_refusal(*one.answer));
    else
      one.promise.deliver();
  }
}

template <class Answer>
caf::result<Answer>
persistence::read_settings(std::function<caf::result<Answer>(const settings_snapshot&)> read) {
  if (with_.permit && !with_.permit->is_fresh())
    return make_refusal(
        unavailable("this node does not know for certain what the cluster knows at the moment: "
                    "ask again a little later"));
  return read(*with_.store->settings());
}

caf::result<setting> persistence::get(const get_setting& request) {
  return read_settings<setting>([&](const settings_snapshot& all) -> caf::result<setting> {
    if (const auto found = all.find(request.key))
      return *found;
    return make_refusal(no_setting(request.key));
  });
}

caf::result<settings_page> persistence::list(const list_settings& request) {
  return read_settings<settings_page>([&](const settings_snapshot& all) -> caf::result<settings_page> {
    settings_page page;
    std::size_t bytes = 0;
    const auto limit = std::clamp(request.limit, 1u, list_settings::max_limit);
    all.visit_after({request.kind, request.after}, [&](const settings_snapshot::entry_ptr& each) {
      if (each->key.kind != request.kind)
        return false;
      bytes += settings_snapshot::bytes_of(*each);
      page.more =
          page.settings.size() == limit || (!page.settings.empty() && bytes > settings_page::max_bytes);
      if (!page.more)
        page.settings.push_back(*each);
      return !page.more;
    });
    return page;
  });
}

} // namespace vicket
