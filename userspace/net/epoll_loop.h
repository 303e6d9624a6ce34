#pragma once
// The loop on epoll: edge-triggered, one epoll_ctl a connection, one read and one send a message.

#include <array>
#include <vector>

#include "net/loop.h"

struct epoll_event;

namespace weir::net {

class EpollLoop final : public Loop {
 public:
  static Result<std::unique_ptr<Loop>> make();
  explicit EpollLoop(FileDescriptor epoll) : epoll_(std::move(epoll)), buffer_(kBufferSize) {}

  [[nodiscard]] std::string_view name() const override { return "epoll"; }

 private:
  static constexpr size_t kBufferSize = 32768;

  void wait(Duration limit) override;
  void start_read(StreamSlot& slot) override;
  void stop_read(StreamSlot&) override {}
  void send_queued(StreamSlot& slot) override;
  bool start_connect(StreamSlot& slot, const SocketAddress& address, int& error_number) override;
  void register_stream(StreamSlot& slot) override;
  void begin_close(StreamSlot& slot) override;
  void start_accept(Listener& listener) override;
  void stop_accept(Listener& listener) override;
  void start_watch(Watch& watch) override;
  void stop_watch(Watch& watch) override;

  void dispatch(const epoll_event& event);
  void on_stream_event(StreamSlot& slot, uint32_t events);
  void finish_connect(StreamSlot& slot);
  void on_acceptable(Listener& listener);
  void read_ready();
  void read_once(StreamSlot& slot);
  void mark_ready(StreamSlot& slot);

  FileDescriptor epoll_;
  std::vector<char> buffer_;  // bytes are handled before the next read
  std::vector<StreamSlot*> ready_, ready_now_;
};

}  // namespace weir::net
