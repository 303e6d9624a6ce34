#pragma once
// The other end of the admin API: one request over the agent's unix socket.

#include <chrono>
#include <string>

#include "base/result.h"

namespace weir::admin {

struct Reply {
  int status = 0;
  std::string body;
};

class Client {
 public:
  explicit Client(std::string socket_path, std::chrono::milliseconds timeout = std::chrono::seconds(15))
      : socket_path_(std::move(socket_path)), timeout_(timeout) {}

  /// Any answer, whatever its status, is a Reply. An Error means that nobody answered; its code is ENOENT or
  /// ECONNREFUSED (no agent), EACCES (no permission), ETIMEDOUT, or 0.
  [[nodiscard]] Result<Reply> get(const std::string& path) const;
  [[nodiscard]] Result<Reply> post(const std::string& path, const std::string& json) const;

  [[nodiscard]] const std::string& socket_path() const { return socket_path_; }

 private:
  Result<Reply> perform(const std::string& path, const std::string* json) const;

  std::string socket_path_;
  std::chrono::milliseconds timeout_;
};

}  // namespace weir::admin
