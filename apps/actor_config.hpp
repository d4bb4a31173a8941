#pragma once

#include <caf/actor_system_config.hpp>

#include <cstddef>
#include <memory>

namespace vicket {

/// CAF as both programs use it: its own logs quiet, no config file and no flags of its own, and workers that sleep when
/// there is nothing to do (polling costs a third of the throughput: docs/decisions/0004-speed.md). `threads` 0: one for
/// every two cores, since I/O and commits have threads of their own.
[[nodiscard]] std::unique_ptr<caf::actor_system_config> make_actor_config(std::size_t threads);

} // namespace vicket
