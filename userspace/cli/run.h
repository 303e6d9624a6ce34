#pragma once
// The whole command line as a function, so that tests call it as main() does.

#include <istream>
#include <ostream>

namespace weir::cli {

/// Reads the arguments (argv[0] is the program), runs the command and returns the exit code. Data goes to `out`, words
/// to `err`.
int run(int argc, const char* const* argv, std::istream& in, std::ostream& out, std::ostream& err);
int run(int argc, const char* const* argv, std::ostream& out, std::ostream& err);

}  // namespace weir::cli
