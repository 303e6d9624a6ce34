#include "cli/watch.h"

#include <csignal>
#include <ctime>
#include <sstream>

namespace weir::cli {
namespace {

constexpr timespec kPeriod{1, 0};

}  // namespace

int show_or_watch(Context& context, const std::function<int(Context& context)>& show) {
  if (!context.options.watch) return show(context);
  // Waited for, not handled: an interrupt between two pictures ends it without a half one.
  sigset_t interrupts;
  sigemptyset(&interrupts);
  sigaddset(&interrupts, SIGINT);
  sigaddset(&interrupts, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &interrupts, nullptr);
  std::string last;
  int code = kOk;
  do {
    std::ostringstream picture;
    Context inner{context.in, picture, context.err, context.out_is_terminal, context.options};
    code = show(inner);
    if (code != kOk && code != kError) return code;
    if (context.out_is_terminal)
      context.out << "\x1b[H\x1b[2J" << picture.str() << std::flush;
    else if (picture.str() != last)
      context.out << picture.str() << std::flush;
    last = picture.str();
  } while (::sigtimedwait(&interrupts, nullptr, &kPeriod) < 0);
  return code;
}

}  // namespace weir::cli
