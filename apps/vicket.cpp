// The command line: sends events to a node, shows what became of them, and receives them for trying things
// out.

#include "apps/command_line.hpp"

#include <csignal>

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN); // a write to a closed connection fails like any other
  return vicket::run_command_line(argc, argv);
}
