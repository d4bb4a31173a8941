#include "actors/router.hpp"

#include "policy/partitioning.hpp"

#include <utility>

namespace vicket {

router::router(handle::pointer self, std::vector<partition_actor> heads)
    : self_{self}, heads_{std::move(heads)} {}

router::handle::behavior_type router::make_behavior() {
  return {
      [this](accept_events& request) -> caf::result<batch_result> {
        if (request.partition >= heads_.size())
          return make_refusal(errc::unavailable,
                              "there is no partition " + std::to_string(request.partition));
        return self_->delegate(heads_[request.partition], std::move(request));
      },
      [this](put_connector& request) -> caf::result<connector_view> {
        const auto& head = head_of(request.value.id);
        return self_->delegate(head, std::move(request));
      },
      [this](get_connector& request) -> caf::result<connector_view> {
        const auto& head = head_of(request.id);
        return self_->delegate(head, std::move(request));
      },
      [this](delete_connector& request) -> caf::result<void> {
        const auto& head = head_of(request.id);
        return self_->delegate(head, std::move(request));
      },
  };
}

const partition_actor& router::head_of(const connector_id& id) const {
  return heads_[partition_of(id, static_cast<std::uint32_t>(heads_.size()))];
}

} // namespace vicket
