#pragma once
// Tells when interfaces of this network namespace or their addresses change (rtnetlink).

#include "base/file_descriptor.h"
#include "base/result.h"

namespace weir::agent {

/// One thread.
class AddressWatch {
 public:
  static Result<AddressWatch> create();
  /// Readable when there is something for take().
  [[nodiscard]] int fd() const { return socket_.get(); }
  /// Takes all that waits. True: something may have changed; also when events were lost.
  bool take();

 private:
  explicit AddressWatch(FileDescriptor socket) : socket_(std::move(socket)) {}
  FileDescriptor socket_;
};

}  // namespace weir::agent
