// The end of a stream that still has something to say: nobody listens to it any more, but what is queued goes out.

#include <algorithm>

#include "net/loop.h"
#include "net/stream_slot.h"

namespace weir::net {
namespace {

// After the FIN: without a byte for this long, the peer has nothing more to say.
constexpr Duration kQuiet = std::chrono::seconds(1);
// How often the patience for a peer that takes no bytes is had with one that goes on sending.
constexpr int kLingerTimes = 6;

}  // namespace

void Loop::finish_stream(StreamSlot& slot, Duration patience) {
  if (slot.finishing) return;
  slot.finishing = true;
  slot.handler = nullptr;
  slot.want_fin = true;
  slot.discarded = 0;
  slot.patience = patience;
  slot.finish_mark = slot.sent;
  if (slot.write_failed || slot.connecting || (slot.ended && slot.fin_sent)) {
    close_stream(slot);
    return;
  }
  slot.reading = true;
  if (!slot.ended) start_read(slot);
  if (slot.fin_sent) {
    begin_linger(slot);
  } else {
    arm(slot.finish_timer, patience);
  }
  mark_dirty(slot);  // also lets go of what was kept, once the caller no longer reads it
}

/// The FIN is out. As long as the peer sends it may not have read the answer yet, which a close would destroy by a RST.
void Loop::begin_linger(StreamSlot& slot) {
  if (slot.ended) {
    close_stream(slot);
    return;
  }
  slot.lingering = true;
  const bool crowded = ++lingering_ > kMaxLingering;
  slot.linger_end = crowded ? now_ : now_ + kLingerTimes * slot.patience;
  slot.finish_mark = slot.discarded;
  arm(slot.finish_timer, std::min(kQuiet, slot.patience));
}

void Loop::finish_timer_fired(void* owner) {
  StreamSlot& slot = *static_cast<StreamSlot*>(owner);
  slot.loop->on_finish_timer(slot);
}

/// Once a period: has anything moved?
void Loop::on_finish_timer(StreamSlot& slot) {
  const uint64_t mark = slot.lingering ? slot.discarded : slot.sent;
  if (mark == slot.finish_mark || (slot.lingering && now_ >= slot.linger_end)) {
    close_stream(slot);
    return;
  }
  slot.finish_mark = mark;
  arm(slot.finish_timer, slot.lingering ? std::min(kQuiet, slot.patience) : slot.patience);
}

}  // namespace weir::net
