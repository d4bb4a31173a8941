#pragma once

#include "messages/actors.hpp"

#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <memory>
#include <utility>
#include <vector>

namespace vicket::testing {

/// What a node would answer, as a function of what it is asked; and what it does not answer, it keeps.
inline node_actor::behavior_type scripted_node(node_actor::pointer self) {
  auto kept = std::make_shared<std::vector<caf::typed_response_promise<accepted>>>();
  auto kept_batches = std::make_shared<std::vector<caf::typed_response_promise<batch_result>>>();
  return {
      [self, kept](const send_to_connector& event) -> caf::result<accepted> {
        if (event.event == "never") {
          kept->push_back(self->make_response_promise<accepted>());
          return kept->back();
        }
        if (event.event == "die") {
          self->quit(caf::exit_reason::kill);
          return accepted{};
        }
        if (event.event == "refuse")
          return make_refusal(errc::filtered, "as asked");
        return accepted{event.id.value_or(event_id{}), event.run == "duplicate"};
      },
      [self, kept_batches](const send_batch& batch) -> caf::result<batch_result> {
        if (!batch.items.empty() && batch.items.front().event == "never") {
          kept_batches->push_back(self->make_response_promise<batch_result>());
          return kept_batches->back();
        }
        batch_result result;
        for (const auto& item : batch.items)
          result.results.emplace_back(
              item.event == "refuse" ? send_result{refusal{errc::unknown_connector, item.connector.value}}
                                     : send_result{accepted{item.id.value_or(event_id{}), false}});
        return result;
      },
      [](const get_event& request) -> caf::result<event_page> {
        event_page page;
        page.events.resize(1);
        page.events[0].summary.id = request.id;
        page.cursor = request.cursor;
        return page;
      },
      [](const get_run& request) -> caf::result<run_page> {
        run_page page;
        page.cursor = request.run;
        return page;
      },
      [](const read_outcomes& request) -> caf::result<outcome_page> {
        outcome_page page;
        page.gap_cursor = request.cursor;
        return page;
      },
      [](const put_connector& request) -> caf::result<connector_view> {
        return connector_view{request.value, true};
      },
      [](const get_connector& request) -> caf::result<connector_view> {
        return make_refusal(errc::not_found, request.id.value);
      },
      [](const delete_connector& request) -> caf::result<void> {
        if (request.id.value == "busy")
          return make_refusal(errc::connector_busy, "events wait for it");
        return caf::unit;
      },
      [](const list_connectors& request) -> caf::result<connector_page> {
        connector_page page;
        page.more = request.limit == 1;
        return page;
      },
      [](const trigger& value) -> caf::result<trigger_result> {
        if (value.event == "refuse")
          return make_refusal(errc::too_large, "as asked");
        return trigger_result{value.id.value_or(event_id{}),
                              {{{"crm"}, {value.run}, 1, accepted{event_id{{1}}, true}}}};
      },
      [](const trigger_batch& batch) -> caf::result<trigger_batch_result> {
        trigger_batch_result result;
        for (const auto& item : batch.items)
          if (item.event == "refuse")
            result.results.emplace_back(refusal{errc::unavailable, item.run});
          else
            result.results.emplace_back(trigger_result{item.id.value_or(event_id{}), {}});
        return result;
      },
      [](const put_rule& request) -> caf::result<rule> { return request.value; },
      [](const get_rule& request) -> caf::result<rule> {
        return make_refusal(errc::not_found, request.id.value);
      },
      [](const delete_rule&) -> caf::result<void> { return caf::unit; },
      [](const list_rules& request) -> caf::result<rule_page> {
        rule_page page;
        page.more = request.limit == 1;
        return page;
      },
      [](const try_rules& request) -> caf::result<trial_page> {
        trial_page page;
        page.rules.push_back({request.after, false, {request.value.event}, {}});
        return page;
      },
      [](const make_backup& request) -> caf::result<backup_made> {
        return backup_made{request.folder, timestamp_ms{1}, 2, 3, 4};
      },
      [](const get_status&) -> caf::result<node_status> {
        node_status status;
        status.version = "scripted";
        return status;
      },
  };
}

} // namespace vicket::testing
