#pragma once

#include "messages/peer_actor.hpp"

#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace vicket::testing {

/// Answers each request with what it was asked, so that both have crossed the wire.
inline peer_actor::behavior_type echoing_peer(peer_actor::pointer self) {
  auto kept = std::make_shared<std::vector<caf::typed_response_promise<found_events>>>();
  return {
      [](const of_partition<accept_events>& r) -> caf::result<batch_result> {
        if (r.partition == 9)
          return make_refusal(errc::not_owner, "not this node's");
        batch_result result;
        for (const auto& event : r.body.events)
          result.results.emplace_back(refusal{errc::filtered, event.envelope + event.run + event.workflow});
        return result;
      },
      [](const of_partition<put_connector>& r) -> caf::result<connector_view> {
        return connector_view{r.body.value, true, false, r.partition};
      },
      [](const of_partition<get_connector>& r) -> caf::result<connector_view> {
        connector_view view;
        view.value.id = r.body.id;
        return view;
      },
      [](const of_partition<delete_connector>& r) -> caf::result<void> {
        if (!r.body.force)
          return make_refusal(errc::connector_busy, r.body.id.value);
        return caf::unit;
      },
      [](const of_partition<list_connectors>& r) -> caf::result<connector_page> {
        return connector_page{{}, r.body.limit == 7};
      },
      [](const of_partition<get_partition_overview>& r) -> caf::result<partition_overview> {
        partition_overview overview;
        overview.partition.number = r.partition;
        overview.partition.owner = r.body.after.value;
        overview.partition.why = "w";
        overview.connectors.resize(1);
        overview.more = true;
        return overview;
      },
      [](const of_partition<find_partition_events>& r) -> caf::result<found_events> {
        return found_events{{{r.body.limit, r.body.from, {2}}}, r.body.id == event_id{{5}}};
      },
      [self, kept](const of_partition<find_partition_run>& r) -> caf::result<found_events> {
        if (r.body.run == "never") {
          kept->push_back(self->make_response_promise<found_events>());
          return kept->back();
        }
        return found_events{{{r.body.after, {r.body.run}, {}}}, false};
      },
      [](const of_partition<read_partition_histories>& r) -> caf::result<partition_histories> {
        partition_histories result;
        for (const auto& one : r.body.wanted) {
          if (one.sequence == 0) {
            result.histories.emplace_back();
            continue;
          }
          partition_history history;
          history.history.attempts.resize(std::min<std::size_t>(one.sequence, 10));
          history.left = one.left;
          result.histories.emplace_back(std::move(history));
        }
        return result;
      },
      [](const of_partition<read_partition_outcomes>& r) -> caf::result<partition_outcomes> {
        partition_outcomes result;
        result.gap = !r.body.from;
        result.from = r.body.from.value_or(feed_position{});
        result.entries.push_back({result.from, {}, {}});
        result.through = {r.body.max_bytes, 1, 2, 3};
        result.more = true;
        return result;
      },
      [](const await_feed& r) -> caf::result<feed_awaited> { return feed_awaited{r.after == r.wait_ms}; },
      [](const of_partition<put_setting>& r) -> caf::result<void> {
        return make_refusal(errc::too_large, r.body.value.key.id + r.body.value.bytes);
      },
      [](const of_partition<delete_setting>& r) -> caf::result<void> {
        if (r.partition == 9)
          return caf::unit;
        return make_refusal(errc::not_found, r.body.key.id);
      },
      [](const of_partition<get_setting>& r) -> caf::result<setting> {
        return setting{r.body.key, "bytes"};
      },
      [](const of_partition<list_settings>& r) -> caf::result<settings_page> {
        return settings_page{{{{r.body.kind, r.body.after}, "bytes"}}, r.body.limit == 7};
      },
      [](const open_checkpoint& r) -> caf::result<opened_checkpoint> {
        return opened_checkpoint{r.partition, 7, {{"CURRENT", 16}}};
      },
      [](const read_checkpoint& r) -> caf::result<checkpoint_bytes> {
        return checkpoint_bytes{std::string(r.offset, 'x'), std::to_string(r.file)};
      },
      [](const close_checkpoint& r) -> caf::result<void> {
        if (r.id == 9)
          return caf::unit;
        return make_refusal(errc::not_found, std::to_string(r.id));
      },
  };
}

} // namespace vicket::testing
