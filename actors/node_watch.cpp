#include "actors/node_watch.hpp"

#include <utility>

namespace vicket {

node_watch::node_watch(handle::pointer self, std::function<void(const std::string&)> failed)
    : self_{self}, failed_{std::move(failed)} {
  self_->set_down_handler([this](const caf::down_msg& down) { report(down); });
}

node_watch::handle::behavior_type node_watch::make_behavior() {
  return {
      [this](const watch_over& request) { begin(request); },
      [this](const let_end& request) {
        watched_.erase(request.who->address());
        self_->demonitor(request.who->address());
      },
  };
}

void node_watch::begin(const watch_over& request) {
  watched_.emplace(request.who->address(), request.called);
  self_->monitor(request.who); // of one that is dead already the news comes at once, with its reason
}

void node_watch::report(const caf::down_msg& down) {
  const auto found = watched_.find(down.source);
  if (found != watched_.end() && failed_)
    failed_("the " + found->second + " died: " + caf::to_string(down.reason));
}

} // namespace vicket
