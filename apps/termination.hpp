#pragma once

#include <functional>

namespace vicket {

/// Signals of the end, SIGTERM and SIGINT, are taken by waiting for them, not by handlers. SIGPIPE is
/// ignored: writes to a closed connection fail like any other. Call in `main` before the first thread is
/// made: threads inherit it.
void block_termination();

/// The same for SIGHUP, which asks a daemon to read its files again instead of ending it.
void block_hangup();

/// Waits for SIGTERM or SIGINT; answers its name. Where SIGHUP is blocked, `on_hangup` is called for each one before
/// that.
const char* wait_for_termination(const std::function<void()>& on_hangup = {});

/// Ends the process, non-zero, when another SIGTERM or SIGINT comes or when `deadline_s` have passed: the
/// first one was obeyed, and the way out hangs or takes too long for somebody.
void end_at_next_termination(unsigned deadline_s);

} // namespace vicket
