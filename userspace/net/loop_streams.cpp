// Streams, as far as they are the same on every backend: what the user wants, what has been told, what is queued.

#include <algorithm>
#include <cerrno>
#include <utility>

#include "net/loop.h"
#include "net/stream_slot.h"

namespace weir::net {
namespace {

/// Nobody is to be called about it any more.
bool deaf(const StreamSlot& slot) {
  return !slot.open || slot.handler == nullptr;
}

}  // namespace

StreamSlot* Loop::slot_at(uint32_t index) const {
  return index < slots_.size() ? slots_[index].get() : nullptr;
}

StreamSlot* Loop::find_stream(uint32_t index, uint32_t generation) const {
  StreamSlot* slot = slot_at(index);
  return slot != nullptr && slot->generation == generation ? slot : nullptr;
}

StreamSlot& Loop::take_slot(FileDescriptor fd, StreamHandler& handler) {
  if (free_.empty()) {
    slots_.push_back(std::make_unique<StreamSlot>(pool_, &Loop::finish_timer_fired));
    slots_.back()->loop = this;
    slots_.back()->index = static_cast<uint32_t>(slots_.size() - 1);
    free_.push_back(slots_.back().get());
  }
  StreamSlot& slot = *free_.back();
  free_.pop_back();
  slot.fd = std::move(fd);
  slot.handler = &handler;
  slot.sent = 0;
  slot.open = slot.reading = true;
  slot.connecting = slot.ended = slot.end_reported = false;
  slot.want_fin = slot.fin_sent = slot.write_failed = slot.want_drained = slot.sending = slot.finishing = false;
  slot.receive_armed = slot.receive_stopping = slot.bulk = slot.send_waits = false;
  slot.readable = slot.hung_up = slot.writable = false;
  ++stream_count_;
  register_stream(slot);
  return slot;
}

void Loop::release(StreamSlot& slot) {
  slot.fd.reset();
  released_.push_back(&slot);
}

void Loop::recycle_released() {
  // Not at once: whoever closed the stream may have been called with bytes that lie in its queues.
  for (StreamSlot* slot : released_) {
    slot->out.clear();
    slot->kept.clear();
    ++slot->generation;
    free_.push_back(slot);
  }
  released_.clear();
}

Stream Loop::adopt(FileDescriptor fd, StreamHandler& handler) {
  StreamSlot& slot = take_slot(std::move(fd), handler);
  slot.writable = true;
  start_read(slot);
  return Stream(this, slot.index, slot.generation);
}

Result<Stream> Loop::connect(const SocketAddress& address, StreamHandler& handler) {
  auto fd = tcp_socket(address);
  if (!fd) return std::move(fd).error().context("connect to " + address.to_string());
  return connect(std::move(*fd), address, handler);
}

Result<Stream> Loop::connect(FileDescriptor fd, const SocketAddress& address, StreamHandler& handler) {
  StreamSlot& slot = take_slot(std::move(fd), handler);
  slot.connecting = true;
  int error_number = 0;
  if (!start_connect(slot, address, error_number)) {
    close_stream(slot);
    return errno_error("connect to " + address.to_string(), error_number);
  }
  return Stream(this, slot.index, slot.generation);
}

void Loop::handle_connected(StreamSlot& slot, int error_number) {
  slot.connecting = false;
  slot.writable = true;
  if (!slot.open) return;
  if (error_number != 0) {
    handle_end(slot, error_number);
    return;
  }
  if (slot.reading) start_read(slot);
  if (!slot.out.empty() || slot.want_fin) mark_dirty(slot);
  if (!deaf(slot)) slot.handler->on_connected();
}

// ---------------------------------------------------------------- reading

void Loop::handle_data(StreamSlot& slot, std::string_view bytes) {
  if (!slot.open) return;
  if (slot.finishing) {
    slot.discarded += bytes.size();
    return;
  }
  if (!slot.reading || !slot.kept.empty()) {
    slot.kept.append(bytes);
    return;
  }
  const uint32_t generation = slot.generation;
  const size_t handled = slot.handler->on_data(bytes);
  if (slot.generation != generation || deaf(slot) || handled >= bytes.size()) return;
  slot.kept.append(bytes.substr(handled));
  slot.reading = false;
  stop_read(slot);
}

void Loop::handle_end(StreamSlot& slot, int error_number) {
  if (!slot.open || slot.ended) return;
  slot.ended = true;
  slot.end_error = error_number;
  deliver_end(slot);
}

void Loop::deliver_end(StreamSlot& slot) {
  if (slot.finishing) {
    // With a FIN still to be sent the rest of the answer goes first; an error ends it.
    if (slot.end_error != 0 || slot.fin_sent || slot.write_failed) close_stream(slot);
    return;
  }
  if (slot.end_reported || deaf(slot) || !slot.kept.empty()) return;
  if (slot.end_error != 0) {
    StreamHandler* handler = slot.handler;
    const int error_number = slot.end_error;
    close_stream(slot);
    handler->on_error(error_number);
    return;
  }
  if (!slot.reading) return;
  slot.end_reported = true;
  slot.handler->on_eof();
}

void Loop::deliver_resumed() {
  resumed_now_.swap(resumed_);
  for (StreamSlot* slot : resumed_now_) {
    slot->in_resumed = false;
    if (slot->reading && !slot->connecting && !deaf(*slot)) resume_stream(*slot);
  }
  resumed_now_.clear();
}

void Loop::resume_stream(StreamSlot& slot) {
  const uint32_t generation = slot.generation;
  while (!slot.kept.empty()) {
    const std::string_view piece = slot.kept.front();
    const size_t handled = std::min(slot.handler->on_data(piece), piece.size());
    if (slot.generation != generation || deaf(slot)) return;
    slot.kept.consume(handled);
    if (handled < piece.size()) slot.reading = false;
    if (!slot.reading) return;
  }
  if (slot.ended) {
    deliver_end(slot);
  } else {
    start_read(slot);
  }
}

// ---------------------------------------------------------------- writing

void Loop::mark_dirty(StreamSlot& slot) {
  if (slot.in_dirty) return;
  slot.in_dirty = true;
  dirty_.push_back(&slot);
}

void Loop::flush_dirty() {
  dirty_now_.swap(dirty_);
  for (StreamSlot* slot : dirty_now_) {
    slot->in_dirty = false;
    if (!slot->open) continue;
    if (slot->finishing) slot->kept.clear();
    if (!slot->connecting) flush(*slot);
  }
  dirty_now_.clear();
}

void Loop::flush(StreamSlot& slot) {
  if (slot.sending) return;
  if (!slot.out.empty()) {
    send_queued(slot);
    return;
  }
  if (slot.want_fin && !slot.fin_sent && !slot.write_failed) {
    slot.fin_sent = true;
    ::shutdown(slot.fd.get(), SHUT_WR);
    if (slot.finishing) {
      begin_linger(slot);
      return;
    }
  }
  notify_drained(slot);
}

void Loop::notify_drained(StreamSlot& slot) {
  if (!slot.want_drained || slot.out.size() > kOutLowWater || deaf(slot)) return;
  slot.want_drained = false;
  slot.handler->on_drained();
}

void Loop::handle_sent(StreamSlot& slot, size_t count) {
  slot.out.consume(count);
  slot.sent += count;
  if (!slot.open) return;
  const uint32_t generation = slot.generation;
  notify_drained(slot);
  if (slot.generation != generation || !slot.open) return;
  if (slot.writable && (!slot.out.empty() || (slot.want_fin && !slot.fin_sent))) mark_dirty(slot);
}

void Loop::handle_send_failed(StreamSlot& slot, int error_number) {
  slot.out.clear();
  if (!slot.open || slot.write_failed) return;
  slot.write_failed = true;
  if (slot.finishing) {
    close_stream(slot);
    return;
  }
  slot.want_drained = false;
  if (!deaf(slot)) slot.handler->on_write_failed(error_number);
}

// ---------------------------------------------------------------- the end

void Loop::close_stream(StreamSlot& slot) {
  if (!slot.open) return;
  slot.open = false;
  slot.handler = nullptr;
  slot.finish_timer.cancel();
  if (std::exchange(slot.lingering, false)) --lingering_;
  --stream_count_;
  begin_close(slot);
}

// ---------------------------------------------------------------- Stream

StreamSlot* Stream::slot() const {
  if (loop_ == nullptr) return nullptr;
  StreamSlot* found = loop_->find_stream(index_, generation_);
  return found != nullptr && found->open && !found->finishing ? found : nullptr;
}

bool Stream::alive() const {
  return slot() != nullptr;
}

size_t Stream::write(std::string_view bytes) const {
  StreamSlot* found = slot();
  if (found == nullptr || found->write_failed || found->want_fin) return bytes.size();
  const size_t taken = std::min(bytes.size(), room());
  write_whole(bytes.substr(0, taken));
  if (taken < bytes.size()) found->want_drained = true;
  return taken;
}

void Stream::write_whole(std::string_view bytes) const {
  StreamSlot* found = slot();
  if (found == nullptr || found->write_failed || found->want_fin || bytes.empty()) return;
  found->out.append(bytes);
  if (!found->sending) loop_->mark_dirty(*found);
}

size_t Stream::room() const {
  const size_t queued = unsent();
  return queued >= kOutLimit ? 0 : kOutLimit - queued;
}

size_t Stream::unsent() const {
  const StreamSlot* found = slot();
  return found == nullptr ? 0 : found->out.size();
}

uint64_t Stream::sent() const {
  const StreamSlot* found = slot();
  return found == nullptr ? 0 : found->sent;
}

void Stream::notify_when_drained() const {
  StreamSlot* found = slot();
  if (found == nullptr) return;
  found->want_drained = true;
  if (!found->sending) loop_->mark_dirty(*found);
}

void Stream::pause_read() const {
  StreamSlot* found = slot();
  if (found == nullptr || !found->reading) return;
  found->reading = false;
  if (!found->connecting && !found->ended) loop_->stop_read(*found);
}

void Stream::resume_read() const {
  StreamSlot* found = slot();
  if (found == nullptr || found->reading) return;
  found->reading = true;
  if (found->connecting || found->in_resumed) return;
  found->in_resumed = true;
  loop_->resumed_.push_back(found);
}

bool Stream::read_paused() const {
  const StreamSlot* found = slot();
  return found != nullptr && !found->reading;
}

void Stream::shutdown_write() const {
  StreamSlot* found = slot();
  if (found == nullptr || found->want_fin) return;
  found->want_fin = true;
  if (!found->sending) loop_->mark_dirty(*found);
}

void Stream::close() const {
  if (StreamSlot* found = slot()) loop_->close_stream(*found);
}

void Stream::reset() const {
  StreamSlot* found = slot();
  if (found == nullptr) return;
  set_reset_on_close(found->fd.get());
  loop_->close_stream(*found);
}

void Stream::finish(Duration patience) const {
  if (StreamSlot* found = slot()) loop_->finish_stream(*found, patience);
}

void Stream::set_handler(StreamHandler& handler) const {
  if (StreamSlot* found = slot()) found->handler = &handler;
}

int Stream::fd() const {
  const StreamSlot* found = slot();
  return found == nullptr ? -1 : found->fd.get();
}

}  // namespace weir::net
