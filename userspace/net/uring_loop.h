#pragma once
// The loop on io_uring: multishot accept and receive into provided buffers, and one io_uring_enter a turn that submits
// all sends of the turn, takes their completions and waits for the next event. Needs multishot receive (Linux 6.0).

#include <liburing.h>

#include <deque>
#include <memory>

#include "net/loop.h"

namespace weir::net {

class UringLoop final : public Loop {
 public:
  /// Tries on a socket pair that the kernel (and seccomp) has what is needed; the error says what is missing.
  static Result<std::unique_ptr<Loop>> make();
  UringLoop() = default;
  ~UringLoop() override;

  [[nodiscard]] std::string_view name() const override { return "io_uring"; }

 private:
  // Receive buffers are handled as soon as they are seen, so few are needed; and the kernel goes round them all, so few
  // stay in the cache.
  static constexpr unsigned kBufferCount = 48;
  static constexpr unsigned kBufferPlaces = 64;  // a power of two
  static constexpr unsigned kBufferSize = 16384;
  // Not a power of two apart: most hold one head only, and the heads would all fall into the same few cache sets.
  static constexpr unsigned kBufferStride = kBufferSize + 9 * 64;
  static constexpr unsigned kSubmissions = 1024;
  static constexpr unsigned kCompletions = 8192;

  enum class Operation : uint8_t { kIgnored, kReceive, kSend, kConnect, kAccept, kWatch };

  Result<void> set_up();
  Result<void> set_up_ring();
  Result<void> restrict_ring();
  Result<void> set_up_buffers();
  Result<void> try_out();

  void wait(Duration limit) override;
  void start_read(StreamSlot& slot) override;
  void stop_read(StreamSlot& slot) override;
  void send_queued(StreamSlot& slot) override;
  bool start_connect(StreamSlot& slot, const SocketAddress& address, int& error_number) override;
  void register_stream(StreamSlot&) override {}
  void begin_close(StreamSlot& slot) override;
  void start_accept(Listener& listener) override;
  void stop_accept(Listener& listener) override;
  void start_watch(Watch& watch) override;
  void stop_watch(Watch& watch) override;

  static uint64_t pack(Operation operation, uint32_t index, uint32_t generation);
  io_uring_sqe* next_submission();
  void cancel(uint64_t user_data);
  void return_buffer(unsigned id);
  void dispatch(const io_uring_cqe& completion);
  void on_received(StreamSlot& slot, const io_uring_cqe& completion);
  void on_sent(StreamSlot& slot, int result);
  void on_connected(StreamSlot& slot, int result);
  void on_accepted(Listener& listener, const io_uring_cqe& completion);
  void release_if_quiet(StreamSlot& slot);

  io_uring ring_{};
  bool ring_open_ = false;
  io_uring_buf_ring* buffer_ring_ = nullptr;  // shared with the kernel
  std::unique_ptr<char[]> buffers_;
  unsigned immediate_ = 0;            // sends submitted this turn that complete without waiting
  std::deque<RawAddress> addresses_;  // of connects not yet submitted
};

}  // namespace weir::net
