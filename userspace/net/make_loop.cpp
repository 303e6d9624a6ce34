#include "net/epoll_loop.h"
#include "net/loop.h"
#include "net/uring_loop.h"

namespace weir::net {
namespace {

Result<std::unique_ptr<Loop>> make_backend(LoopKind kind, std::string* why) {
  if (why != nullptr) why->clear();
  if (kind == LoopKind::kEpoll) return EpollLoop::make();
  auto uring = UringLoop::make();
  if (uring || kind == LoopKind::kUring) return uring;
  if (why != nullptr) *why = uring.error().message;
  return EpollLoop::make();
}

}  // namespace

Result<std::unique_ptr<Loop>> make_loop(LoopKind kind, std::string* why) {
  auto loop = make_backend(kind, why);
  if (!loop) return loop;
  WEIR_TRY((*loop)->open_door());
  return loop;
}

}  // namespace weir::net
