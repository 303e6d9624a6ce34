// weir: one binary, a table of commands. Each command is a file command_*.cpp; `weir agent` leads to agent/agent.h.

#include <iostream>

#include "cli/run.h"

int main(int argc, char** argv) {
  return weir::cli::run(argc, argv, std::cin, std::cout, std::cerr);
}
