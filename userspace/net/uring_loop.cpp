#include "net/uring_loop.h"

#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "net/stream_slot.h"

namespace weir::net {
namespace {

constexpr int kOperationBits = 4;
constexpr int kBufferGroup = 0;

}  // namespace

uint64_t UringLoop::pack(Operation operation, uint32_t index, uint32_t generation) {
  return uint64_t{generation} << 32 | uint64_t{index} << kOperationBits | static_cast<uint64_t>(operation);
}

// ---------------------------------------------------------------- set-up

Result<std::unique_ptr<Loop>> UringLoop::make() {
  auto loop = std::make_unique<UringLoop>();
  WEIR_TRY(loop->set_up());
  return std::unique_ptr<Loop>(std::move(loop));
}

Result<void> UringLoop::set_up() {
  WEIR_TRY(set_up_ring());
  WEIR_TRY(set_up_buffers());
  return try_out();
}

Result<void> UringLoop::set_up_ring() {
  // Completions run in our own io_uring_enter only (6.1), else at least without interrupting us (5.19).
  const unsigned wanted[] = {IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN, IORING_SETUP_COOP_TASKRUN, 0};
  int error_number = 0;
  for (const unsigned flags : wanted) {
    io_uring_params params{};
    params.flags = flags | IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP | IORING_SETUP_R_DISABLED;
    params.cq_entries = kCompletions;
    error_number = io_uring_queue_init_params(kSubmissions, &ring_, &params);
    if (error_number == 0) {
      ring_open_ = true;
      WEIR_TRY(restrict_ring());
      io_uring_register_ring_fd(&ring_);  // saves a look-up a call; older kernels do without
      return {};
    }
    if (error_number != -EINVAL) break;
  }
  Error error = errno_error("io_uring_setup", error_number);
  if (error_number == -EPERM) error.message += " (sysctl kernel.io_uring_disabled, or seccomp)";
  return error;
}

/// What goes through a ring passes by a seccomp filter, so the ring itself allows what this loop does and nothing more:
/// no file is opened and no other kind of socket made through it.
Result<void> UringLoop::restrict_ring() {
  std::vector<io_uring_restriction> allowed;
  const auto allow = [&allowed](uint16_t kind) -> io_uring_restriction& {
    allowed.emplace_back();
    allowed.back().opcode = kind;
    return allowed.back();
  };
  for (const int operation : {IORING_OP_NOP, IORING_OP_ACCEPT, IORING_OP_CONNECT, IORING_OP_RECV, IORING_OP_SEND,
                              IORING_OP_SENDMSG, IORING_OP_POLL_ADD, IORING_OP_ASYNC_CANCEL, IORING_OP_TIMEOUT})
    allow(IORING_RESTRICTION_SQE_OP).sqe_op = static_cast<uint8_t>(operation);
  for (const int operation : {IORING_REGISTER_RING_FDS, IORING_UNREGISTER_RING_FDS, IORING_REGISTER_PBUF_RING,
                              IORING_UNREGISTER_PBUF_RING, IORING_REGISTER_SYNC_CANCEL})
    allow(IORING_RESTRICTION_REGISTER_OP).register_op = static_cast<uint8_t>(operation);
  allow(IORING_RESTRICTION_SQE_FLAGS_ALLOWED).sqe_flags = IOSQE_BUFFER_SELECT | IOSQE_CQE_SKIP_SUCCESS;
  // liburing 2.3 has functions for both and does not export them.
  const auto do_register = [this](unsigned operation, void* argument, size_t count) {
    return ::syscall(SYS_io_uring_register, ring_.ring_fd, operation, argument, static_cast<unsigned>(count)) == 0;
  };
  if (!do_register(IORING_REGISTER_RESTRICTIONS, allowed.data(), allowed.size()))
    return errno_error("io_uring restrictions (Linux 5.10)");
  if (!do_register(IORING_REGISTER_ENABLE_RINGS, nullptr, 0)) return errno_error("enable the io_uring");
  return {};
}

Result<void> UringLoop::set_up_buffers() {
  const size_t size = kBufferPlaces * sizeof(io_uring_buf);
  void* memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_PRIVATE, -1, 0);
  if (memory == MAP_FAILED) return errno_error("mmap of the receive buffer ring");
  buffer_ring_ = static_cast<io_uring_buf_ring*>(memory);
  io_uring_buf_reg registration{};
  registration.ring_addr = reinterpret_cast<uint64_t>(memory);
  registration.ring_entries = kBufferPlaces;
  registration.bgid = kBufferGroup;
  const int error_number = io_uring_register_buf_ring(&ring_, &registration, 0);
  if (error_number != 0) return errno_error("io_uring provided buffers (Linux 5.19)", error_number);
  io_uring_buf_ring_init(buffer_ring_);
  buffers_ = std::make_unique_for_overwrite<char[]>(size_t{kBufferCount} * kBufferStride);
  for (unsigned id = 0; id < kBufferCount; ++id) return_buffer(id);
  return {};
}

/// A multishot receive that delivers a byte and stays armed: the youngest of what we need.
Result<void> UringLoop::try_out() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return errno_error("socketpair");
  const FileDescriptor near(ends[0]);
  FileDescriptor far(ends[1]);
  if (::send(far.get(), "x", 1, MSG_NOSIGNAL) != 1) return errno_error("send");
  io_uring_sqe* submission = next_submission();
  io_uring_prep_recv_multishot(submission, near.get(), nullptr, 0, 0);
  submission->flags |= IOSQE_BUFFER_SELECT;
  submission->buf_group = kBufferGroup;
  submission->user_data = 0;
  for (bool armed = true, first = true; armed; first = false) {
    io_uring_cqe* completion = nullptr;
    __kernel_timespec limit{.tv_sec = 5, .tv_nsec = 0};
    io_uring_submit_and_wait_timeout(&ring_, &completion, 1, &limit, nullptr);
    const int error_number = io_uring_peek_cqe(&ring_, &completion);
    if (error_number != 0) return errno_error("io_uring: trial receive", error_number);
    const int result = completion->res;
    const unsigned flags = completion->flags;
    io_uring_cqe_seen(&ring_, completion);
    if ((flags & IORING_CQE_F_BUFFER) != 0) return_buffer(flags >> IORING_CQE_BUFFER_SHIFT);
    armed = (flags & IORING_CQE_F_MORE) != 0;
    if (first && (result != 1 || !armed)) {
      return errno_error("io_uring: multishot receive (Linux 6.0)", result < 0 ? -result : EOPNOTSUPP);
    }
    far.reset();
  }
  return {};
}

UringLoop::~UringLoop() {
  if (!ring_open_) return;
  io_uring_sync_cancel_reg everything{};
  everything.flags = IORING_ASYNC_CANCEL_ANY | IORING_ASYNC_CANCEL_ALL;
  everything.timeout.tv_sec = 1;
  io_uring_register_sync_cancel(&ring_, &everything);  // the buffers must not be written to once they are gone
  io_uring_queue_exit(&ring_);
  if (buffer_ring_ != nullptr) ::munmap(buffer_ring_, kBufferPlaces * sizeof(io_uring_buf));
}

// ---------------------------------------------------------------- the turn

io_uring_sqe* UringLoop::next_submission() {
  io_uring_sqe* submission = io_uring_get_sqe(&ring_);
  while (submission == nullptr) {  // full: the kernel takes all that is there, so the next try finds room
    io_uring_submit(&ring_);
    submission = io_uring_get_sqe(&ring_);
  }
  return submission;
}

void UringLoop::return_buffer(unsigned id) {
  io_uring_buf_ring_add(buffer_ring_, buffers_.get() + size_t{id} * kBufferStride, kBufferSize,
                        static_cast<unsigned short>(id), io_uring_buf_ring_mask(kBufferPlaces), 0);
  io_uring_buf_ring_advance(buffer_ring_, 1);
}

void UringLoop::wait(Duration limit) {
  if (limit == Duration::zero()) {
    io_uring_submit_and_get_events(&ring_);
  } else {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(limit);
    __kernel_timespec timeout{.tv_sec = seconds.count(), .tv_nsec = (limit - seconds).count()};
    io_uring_cqe* first = nullptr;
    // Sends that cannot wait complete inside this call and alone must not end it: one more is an event.
    const unsigned wanted = std::min(immediate_ + 1, kCompletions / 2);
    io_uring_submit_and_wait_timeout(&ring_, &first, wanted, &timeout, nullptr);
  }
  immediate_ = 0;
  addresses_.clear();
  update_now();
  unsigned head;
  unsigned seen = 0;
  io_uring_cqe* completion;
  io_uring_for_each_cqe(&ring_, head, completion) {
    dispatch(*completion);
    ++seen;
  }
  io_uring_cq_advance(&ring_, seen);
}

void UringLoop::dispatch(const io_uring_cqe& completion) {
  const auto operation = static_cast<Operation>(completion.user_data & ((1U << kOperationBits) - 1));
  const auto index = static_cast<uint32_t>(completion.user_data) >> kOperationBits;
  const auto generation = static_cast<uint32_t>(completion.user_data >> 32);
  if (operation == Operation::kIgnored) return;
  if (operation == Operation::kAccept) {
    on_accepted(*listener_at(index), completion);
    return;
  }
  if (operation == Operation::kWatch) {
    Watch* watch = watch_at(index);
    if (watch == nullptr || watch->handler == nullptr || watch->generation != generation) return;
    handle_readable(*watch);
    if (watch->handler != nullptr && watch->generation == generation) start_watch(*watch);
    return;
  }
  StreamSlot* slot = find_stream(index, generation);  // always there: a slot waits for its last completion
  if (slot == nullptr) return;
  if (operation == Operation::kReceive) {
    on_received(*slot, completion);
  } else if (operation == Operation::kSend) {
    on_sent(*slot, completion.res);
  } else {
    on_connected(*slot, completion.res);
  }
  release_if_quiet(*slot);
}

void UringLoop::cancel(uint64_t user_data) {
  io_uring_sqe* submission = next_submission();
  io_uring_prep_cancel64(submission, user_data, 0);
  submission->flags |= IOSQE_CQE_SKIP_SUCCESS;
  submission->user_data = static_cast<uint64_t>(Operation::kIgnored);
}

// ---------------------------------------------------------------- streams

void UringLoop::start_read(StreamSlot& slot) {
  if (slot.receive_armed || slot.ended || slot.connecting) return;
  io_uring_sqe* submission = next_submission();
  if (slot.bulk) {
    io_uring_prep_recv(submission, slot.fd.get(), nullptr, kBufferSize, 0);
  } else {
    io_uring_prep_recv_multishot(submission, slot.fd.get(), nullptr, 0, 0);
  }
  submission->flags |= IOSQE_BUFFER_SELECT;
  submission->buf_group = kBufferGroup;
  submission->user_data = pack(Operation::kReceive, slot.index, slot.generation);
  slot.receive_armed = true;
  slot.receive_stopping = false;
  ++slot.under_way;
}

void UringLoop::stop_read(StreamSlot& slot) {
  // A single receive brings one buffer at most; a multishot one would go on for as long as there are buffers.
  if (slot.receive_armed && !slot.receive_stopping && !slot.bulk) {
    slot.receive_stopping = true;
    cancel(pack(Operation::kReceive, slot.index, slot.generation));
  }
  slot.bulk = true;
}

void UringLoop::on_received(StreamSlot& slot, const io_uring_cqe& completion) {
  const int result = completion.res;
  if ((completion.flags & IORING_CQE_F_MORE) == 0) {
    slot.receive_armed = false;
    --slot.under_way;
  }
  if ((completion.flags & IORING_CQE_F_BUFFER) != 0) {
    const unsigned id = completion.flags >> IORING_CQE_BUFFER_SHIFT;
    if (result > 0) {
      if (slot.bulk && static_cast<unsigned>(result) < kBufferSize) slot.bulk = slot.receive_armed;
      handle_data(slot, {buffers_.get() + size_t{id} * kBufferStride, static_cast<size_t>(result)});
    }
    return_buffer(id);
  }
  if (!slot.open) return;
  if (result == 0) {
    handle_end(slot, 0);
  } else if (result < 0 && result != -ENOBUFS && result != -ECANCELED && result != -EINTR && result != -EAGAIN) {
    handle_end(slot, -result);
  } else if (!slot.receive_armed && slot.reading) {
    start_read(slot);
  }
}

void UringLoop::send_queued(StreamSlot& slot) {
  io_uring_sqe* submission = next_submission();
  // Usually there is room: then the send is done within the next io_uring_enter, short or whole. Only one that found
  // none waits.
  const int flags = MSG_NOSIGNAL | (slot.send_waits ? 0 : MSG_DONTWAIT);
  slot.message = {};
  slot.message.msg_iov = slot.pieces.data();
  slot.message.msg_iovlen = slot.out.gather(slot.pieces);
  if (slot.message.msg_iovlen == 1) {
    io_uring_prep_send(submission, slot.fd.get(), slot.pieces[0].iov_base, slot.pieces[0].iov_len, flags);
  } else {
    io_uring_prep_sendmsg(submission, slot.fd.get(), &slot.message, static_cast<unsigned>(flags));
  }
  submission->user_data = pack(Operation::kSend, slot.index, slot.generation);
  if (!slot.send_waits) ++immediate_;
  slot.sending = true;
  ++slot.under_way;
}

void UringLoop::on_sent(StreamSlot& slot, int result) {
  slot.sending = false;
  --slot.under_way;
  if (result == -EAGAIN || result == -EINTR) {
    slot.send_waits = true;
    if (slot.open) handle_writable(slot);
  } else if (result < 0) {
    handle_send_failed(slot, -result);
  } else {
    slot.send_waits = static_cast<size_t>(result) < slot.out.size();
    handle_sent(slot, static_cast<size_t>(result));
  }
}

bool UringLoop::start_connect(StreamSlot& slot, const SocketAddress& address, int&) {
  addresses_.push_back(to_raw(address));
  io_uring_sqe* submission = next_submission();
  io_uring_prep_connect(submission, slot.fd.get(), addresses_.back().get(), addresses_.back().length);
  submission->user_data = pack(Operation::kConnect, slot.index, slot.generation);
  ++slot.under_way;
  return true;
}

void UringLoop::on_connected(StreamSlot& slot, int result) {
  --slot.under_way;
  handle_connected(slot, -result);
}

void UringLoop::begin_close(StreamSlot& slot) {
  if (slot.receive_armed && !slot.receive_stopping) cancel(pack(Operation::kReceive, slot.index, slot.generation));
  if (slot.connecting) cancel(pack(Operation::kConnect, slot.index, slot.generation));
  if (slot.sending) cancel(pack(Operation::kSend, slot.index, slot.generation));
  release_if_quiet(slot);
}

void UringLoop::release_if_quiet(StreamSlot& slot) {
  if (!slot.open && slot.under_way == 0 && slot.fd.valid()) release(slot);
}

// ---------------------------------------------------------------- listeners and watches

void UringLoop::start_accept(Listener& listener) {
  if (listener.armed) return;
  io_uring_sqe* submission = next_submission();
  io_uring_prep_multishot_accept(submission, listener.fd.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  submission->user_data = pack(Operation::kAccept, listener.index, 0);
  listener.armed = true;
}

void UringLoop::stop_accept(Listener& listener) {
  // It counts as armed until its last completion: a resume in between starts it anew from there.
  if (listener.armed) cancel(pack(Operation::kAccept, listener.index, 0));
}

void UringLoop::on_accepted(Listener& listener, const io_uring_cqe& completion) {
  if ((completion.flags & IORING_CQE_F_MORE) == 0) listener.armed = false;
  if (completion.res >= 0) {
    handle_accepted(listener, FileDescriptor(completion.res));
  } else if (completion.res != -ECANCELED && !listener.retiring) {
    handle_accept_failed(listener, -completion.res);
    return;
  }
  if (listener.retiring) {
    if (!listener.armed) handle_accept_stopped(listener);
    return;
  }
  if (!listener.armed && listener.handler != nullptr && !listener.paused && !listener.exhausted) start_accept(listener);
}

void UringLoop::start_watch(Watch& watch) {
  io_uring_sqe* submission = next_submission();
  io_uring_prep_poll_add(submission, watch.fd, POLLIN);
  submission->user_data = pack(Operation::kWatch, watch.index, watch.generation);
}

void UringLoop::stop_watch(Watch& watch) {
  cancel(pack(Operation::kWatch, watch.index, watch.generation));
}

}  // namespace weir::net
