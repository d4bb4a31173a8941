#pragma once

#include "messages/attempt.hpp"
#include "messages/backup.hpp"
#include "messages/connector.hpp"
#include "messages/errors.hpp"
#include "messages/event.hpp"
#include "messages/history.hpp"
#include "messages/ids.hpp"
#include "messages/link_state.hpp"
#include "messages/status.hpp"
#include "messages/trigger.hpp"

#include <caf/error.hpp>
#include <caf/type_id.hpp>

/// The wire: every type that travels between processes. Append only, never reorder; a test pins the numbers.
CAF_BEGIN_TYPE_ID_BLOCK(vicket, caf::first_custom_type_id)

CAF_ADD_TYPE_ID(vicket, (vicket::errc))
CAF_ADD_TYPE_ID(vicket, (vicket::connector_id))
CAF_ADD_TYPE_ID(vicket, (vicket::event_id))
CAF_ADD_TYPE_ID(vicket, (vicket::timestamp_ms))
CAF_ADD_TYPE_ID(vicket, (vicket::refusal))
CAF_ADD_TYPE_ID(vicket, (vicket::send_to_connector))
CAF_ADD_TYPE_ID(vicket, (vicket::accepted))
CAF_ADD_TYPE_ID(vicket, (vicket::send_batch))
CAF_ADD_TYPE_ID(vicket, (vicket::batch_result))
CAF_ADD_TYPE_ID(vicket, (vicket::secret_text))
CAF_ADD_TYPE_ID(vicket, (vicket::rate_limit))
CAF_ADD_TYPE_ID(vicket, (vicket::retry_policy))
CAF_ADD_TYPE_ID(vicket, (vicket::connector))
CAF_ADD_TYPE_ID(vicket, (vicket::connector_view))
CAF_ADD_TYPE_ID(vicket, (vicket::put_connector))
CAF_ADD_TYPE_ID(vicket, (vicket::get_connector))
CAF_ADD_TYPE_ID(vicket, (vicket::delete_connector))
CAF_ADD_TYPE_ID(vicket, (vicket::list_connectors))
CAF_ADD_TYPE_ID(vicket, (vicket::connector_page))
CAF_ADD_TYPE_ID(vicket, (vicket::outcome))
CAF_ADD_TYPE_ID(vicket, (vicket::phase_timings))
CAF_ADD_TYPE_ID(vicket, (vicket::attempt))
CAF_ADD_TYPE_ID(vicket, (vicket::event_state))
CAF_ADD_TYPE_ID(vicket, (vicket::event_summary))
CAF_ADD_TYPE_ID(vicket, (vicket::event_history))
CAF_ADD_TYPE_ID(vicket, (vicket::get_event))
CAF_ADD_TYPE_ID(vicket, (vicket::get_run))
CAF_ADD_TYPE_ID(vicket, (vicket::run_page))
CAF_ADD_TYPE_ID(vicket, (vicket::read_outcomes))
CAF_ADD_TYPE_ID(vicket, (vicket::outcome_entry))
CAF_ADD_TYPE_ID(vicket, (vicket::outcome_page))
CAF_ADD_TYPE_ID(vicket, (vicket::get_status))
CAF_ADD_TYPE_ID(vicket, (vicket::connector_status))
CAF_ADD_TYPE_ID(vicket, (vicket::partition_status))
CAF_ADD_TYPE_ID(vicket, (vicket::node_status))
CAF_ADD_TYPE_ID(vicket, (vicket::event_page))
CAF_ADD_TYPE_ID(vicket, (vicket::link_state))
CAF_ADD_TYPE_ID(vicket, (vicket::settings_status))
CAF_ADD_TYPE_ID(vicket, (vicket::rule_id))
CAF_ADD_TYPE_ID(vicket, (vicket::rule_action))
CAF_ADD_TYPE_ID(vicket, (vicket::rule))
CAF_ADD_TYPE_ID(vicket, (vicket::put_rule))
CAF_ADD_TYPE_ID(vicket, (vicket::get_rule))
CAF_ADD_TYPE_ID(vicket, (vicket::delete_rule))
CAF_ADD_TYPE_ID(vicket, (vicket::list_rules))
CAF_ADD_TYPE_ID(vicket, (vicket::rule_page))
CAF_ADD_TYPE_ID(vicket, (vicket::try_rules))
CAF_ADD_TYPE_ID(vicket, (vicket::tried_action))
CAF_ADD_TYPE_ID(vicket, (vicket::tried_rule))
CAF_ADD_TYPE_ID(vicket, (vicket::trial_page))
CAF_ADD_TYPE_ID(vicket, (vicket::trigger))
CAF_ADD_TYPE_ID(vicket, (vicket::trigger_batch))
CAF_ADD_TYPE_ID(vicket, (vicket::triggered_event))
CAF_ADD_TYPE_ID(vicket, (vicket::trigger_result))
CAF_ADD_TYPE_ID(vicket, (vicket::trigger_batch_result))
CAF_ADD_TYPE_ID(vicket, (vicket::make_backup))
CAF_ADD_TYPE_ID(vicket, (vicket::backup_made))

CAF_END_TYPE_ID_BLOCK(vicket)

CAF_ERROR_CODE_ENUM(vicket::errc)
