#pragma once
// The admin API: HTTP over a pathname unix socket. Knows no module: modules register with add().
//
// One request a connection. A few worker threads; a connection beyond the queue is closed at once, so that clients
// cannot hold up the agent. Reading is for whoever may open the socket (mode 0660, directory 0750); changing is for
// root and the agent's own user, told by SO_PEERCRED. Nothing is changed by GET.

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/result.h"

namespace weir::admin {

enum class Method { kGet, kPost };
enum class Access { kRead, kChange };

struct Peer {
  pid_t pid = 0;
  uid_t uid = 0;
  gid_t gid = 0;
};

struct Request {
  std::string path;
  std::map<std::string, std::string> query;
  std::string body;
  Peer peer;
};

struct Response {
  int status = 200;
  std::string body;
  std::string content_type = "application/json";
};

/// `{"error": message}` with the status.
Response error_response(int status, std::string_view message);

/// Called on a worker thread, several at a time. An exception becomes a 500.
using Handler = std::function<Response(const Request&)>;

struct Limits {
  int workers = 4;
  size_t queued_connections = 64;
  size_t body_bytes = 4U << 20;
  /// From accept to the last byte of the answer, the handler's time not counted.
  std::chrono::milliseconds exchange{10'000};
};

class Server {
 public:
  explicit Server(Limits limits = {});
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Before start(). `path` is matched exactly. GET / lists what was added, with `help`.
  void add(Method method, std::string path, Handler handler, std::string help, Access access = Access::kRead);

  /// Listens at `socket_path`, whose directory must exist, and starts the threads. A socket that nobody listens on any
  /// more is replaced; one that answers is an error ("already in use").
  Result<void> start(const std::string& socket_path);
  /// Ends the threads and removes the socket. Answers under way are cut off. Idempotent.
  void stop();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace weir::admin
