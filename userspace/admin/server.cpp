#include "admin/server.h"

#include <httplib.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>
#include <vector>

#include "admin/listener.h"
#include "admin/stream.h"

namespace weir::admin {
namespace {

constexpr size_t kMaxPathBytes = 512;

struct Endpoint {
  Handler handler;
  std::string help;
  Access access = Access::kRead;
};
using Key = std::pair<std::string, Method>;

const char* name_of(Method method) {
  return method == Method::kGet ? "GET" : "POST";
}

/// Whose request this worker serves: httplib hands handlers nothing of ours.
thread_local Peer current_peer;

/// httplib's parser and writer, without its sockets and threads.
class HttpEngine : public httplib::Server {
 public:
  void serve(UnixStream& stream) {
    bool closed = false;
    process_request(stream, true, closed, nullptr);
  }
};

}  // namespace

Response error_response(int status, std::string_view message) {
  return {status, nlohmann::json{{"error", message}}.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)};
}

class Server::Impl {
 public:
  explicit Impl(Limits limits) : limits_(limits) {
    http_.set_payload_max_length(limits.body_bytes);
    http_.set_default_headers({{"X-Content-Type-Options", "nosniff"}});
    http_.set_pre_routing_handler([this](const auto& request, auto& response) { return screen(request, response); });
    const auto dispatch = [this](Method method) {
      return [this, method](const auto& request, auto& response) { fill(response, answer(method, request)); };
    };
    http_.Get(".*", dispatch(Method::kGet));
    http_.Post(".*", dispatch(Method::kPost));
  }
  ~Impl() { stop(); }

  void add(Method method, std::string path, Endpoint endpoint) {
    endpoints_[{std::move(path), method}] = std::move(endpoint);
  }
  Result<void> start(const std::string& path);
  void stop();

 private:
  using HandlerResponse = httplib::Server::HandlerResponse;

  static void fill(httplib::Response& to, const Response& from) {
    to.status = from.status;
    to.set_content(from.body, from.content_type);
  }
  static HandlerResponse screen(const httplib::Request& request, httplib::Response& response);
  Response answer(Method method, const httplib::Request& request) const;
  Response call(const Endpoint& endpoint, const httplib::Request& request) const;
  [[nodiscard]] Response index() const;
  void accept_loop();
  void work_loop();
  void serve(int fd);

  Limits limits_;
  std::map<Key, Endpoint> endpoints_;
  HttpEngine http_;
  std::string path_;
  FileDescriptor listener_, wake_;
  std::vector<std::thread> threads_;
  std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<FileDescriptor> queue_;
  std::set<int> active_;
  bool stopping_ = false;
};

/// Before the body is read.
httplib::Server::HandlerResponse Server::Impl::screen(const httplib::Request& request, httplib::Response& response) {
  if (request.path.size() > kMaxPathBytes)
    fill(response, error_response(414, "path longer than " + std::to_string(kMaxPathBytes) + " bytes"));
  else if (request.method != "GET" && request.method != "POST" && request.method != "HEAD")
    fill(response, error_response(405, "only GET and POST are known here"));
  else
    return HandlerResponse::Unhandled;
  return HandlerResponse::Handled;
}

Response Server::Impl::answer(Method method, const httplib::Request& request) const {
  if (request.path == "/" && method == Method::kGet) return index();
  const auto found = endpoints_.find({request.path, method});
  if (found != endpoints_.end()) return call(found->second, request);
  const Method other = method == Method::kGet ? Method::kPost : Method::kGet;
  if (endpoints_.contains({request.path, other}))
    return error_response(405, request.path + " takes " + name_of(other) + ", not " + name_of(method));
  return error_response(404, "no such path: " + request.path + " (GET / lists them)");
}

Response Server::Impl::call(const Endpoint& endpoint, const httplib::Request& request) const {
  const Peer peer = current_peer;
  if (endpoint.access == Access::kChange && peer.uid != 0 && peer.uid != ::geteuid())
    return error_response(403, "uid " + std::to_string(peer.uid) + " may read, but not change");
  Request plain{request.path, {}, request.body, peer};
  for (const auto& [name, value] : request.params) plain.query.emplace(name, value);
  try {
    return endpoint.handler(plain);
  } catch (const std::exception& error) {  // border: nlohmann::json in handlers
    return error_response(500, error.what());
  }
}

Response Server::Impl::index() const {
  auto list = nlohmann::json::array();
  for (const auto& [key, endpoint] : endpoints_)
    list.push_back({{"method", name_of(key.second)}, {"path", key.first}, {"help", endpoint.help}});
  return {200, nlohmann::json{{"endpoints", list}}.dump()};
}

Result<void> Server::Impl::start(const std::string& path) {
  auto listener = listen_unix(path);
  if (!listener) return std::move(listener).error();
  FileDescriptor wake(::eventfd(0, EFD_CLOEXEC));
  if (!wake) return errno_error("eventfd");
  path_ = path;
  listener_ = std::move(*listener);
  wake_ = std::move(wake);
  threads_.emplace_back([this] { accept_loop(); });
  for (int i = 0; i < limits_.workers; ++i) threads_.emplace_back([this] { work_loop(); });
  return {};
}

void Server::Impl::stop() {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    stopping_ = true;
    queue_.clear();
    for (const int fd : active_) ::shutdown(fd, SHUT_RDWR);
  }
  if (wake_) ::eventfd_write(wake_.get(), 1);
  ready_.notify_all();
  for (auto& thread : threads_) thread.join();
  threads_.clear();
  if (listener_) ::unlink(path_.c_str());
  listener_.reset();
}

void Server::Impl::accept_loop() {
  while (true) {
    pollfd entries[] = {{listener_.get(), POLLIN, 0}, {wake_.get(), POLLIN, 0}};
    if (::poll(entries, 2, -1) < 0 && errno != EINTR) return;
    if (entries[1].revents != 0) return;
    if ((entries[0].revents & POLLIN) == 0) continue;
    FileDescriptor client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!client) {
      // Out of descriptors: the connection stays in the backlog; wait instead of spinning.
      if (errno == EMFILE || errno == ENFILE) ::poll(&entries[1], 1, 100);
      continue;
    }
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    if (queue_.size() >= limits_.queued_connections) continue;
    queue_.push_back(std::move(client));
    ready_.notify_one();
  }
}

void Server::Impl::work_loop() {
  while (true) {
    FileDescriptor client;
    {
      std::unique_lock lock(mutex_);
      ready_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (stopping_) return;
      client = std::move(queue_.front());
      queue_.pop_front();
      active_.insert(client.get());
    }
    serve(client.get());
    const std::lock_guard lock(mutex_);
    active_.erase(client.get());
  }
}

void Server::Impl::serve(int fd) {
  const auto peer = peer_of(fd);
  if (!peer) return;
  current_peer = *peer;
  UnixStream stream(fd, limits_.exchange);
  http_.serve(stream);
  stream.finish();
}

Server::Server(Limits limits) : impl_(std::make_unique<Impl>(limits)) {}
Server::~Server() = default;

void Server::add(Method method, std::string path, Handler handler, std::string help, Access access) {
  impl_->add(method, std::move(path), {std::move(handler), std::move(help), access});
}

Result<void> Server::start(const std::string& socket_path) {
  return impl_->start(socket_path);
}

void Server::stop() {
  impl_->stop();
}

}  // namespace weir::admin
