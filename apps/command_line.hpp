#pragma once

namespace vicket {

/// Flags and commands of `vicket`, to the exit code.
int run_command_line(int argc, const char* const* argv);

} // namespace vicket
