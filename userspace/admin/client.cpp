#include "admin/client.h"

#include <curl/curl.h>

#include <cerrno>
#include <memory>

#include "admin/listener.h"

namespace weir::admin {
namespace {

constexpr size_t kMaxReplyBytes = 256U << 20;

struct EasyDeleter {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
struct HeaderDeleter {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

size_t take(char* data, size_t, size_t size, void* to) {
  auto& body = *static_cast<std::string*>(to);
  if (body.size() + size > kMaxReplyBytes) return 0;
  body.append(data, size);
  return size;
}

Error explain_failure(CURLcode code, const std::string& socket_path) {
  if (code == CURLE_OPERATION_TIMEDOUT) return {"no answer in time on " + socket_path, ETIMEDOUT};
  return {std::string(curl_easy_strerror(code)) + " on " + socket_path, 0};
}

}  // namespace

Result<Reply> Client::get(const std::string& path) const {
  return perform(path, nullptr);
}

Result<Reply> Client::post(const std::string& path, const std::string& json) const {
  return perform(path, &json);
}

Result<Reply> Client::perform(const std::string& path, const std::string* json) const {
  // libcurl says only "could not connect"; the reader needs to know whether it is absence or permission.
  if (auto probe = connect_unix(socket_path_); !probe) return std::move(probe).error();

  static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (initialised != CURLE_OK) return Error{"libcurl does not start", 0};
  const std::unique_ptr<CURL, EasyDeleter> handle(curl_easy_init());
  if (!handle) return Error{"libcurl gives no handle", ENOMEM};
  Reply reply;
  const std::string url = "http://weir" + path;
  std::unique_ptr<curl_slist, HeaderDeleter> headers;
  curl_easy_setopt(handle.get(), CURLOPT_UNIX_SOCKET_PATH, socket_path_.c_str());
  curl_easy_setopt(handle.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(handle.get(), CURLOPT_NOPROXY, "*");
  curl_easy_setopt(handle.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle.get(), CURLOPT_TIMEOUT_MS, static_cast<long>(timeout_.count()));
  curl_easy_setopt(handle.get(), CURLOPT_WRITEFUNCTION, &take);
  curl_easy_setopt(handle.get(), CURLOPT_WRITEDATA, &reply.body);
  if (json != nullptr) {
    headers.reset(curl_slist_append(nullptr, "Content-Type: application/json"));
    // No "Expect: 100-continue": a round trip for nothing.
    curl_slist_append(headers.get(), "Expect:");
    curl_easy_setopt(handle.get(), CURLOPT_HTTPHEADER, headers.get());
    curl_easy_setopt(handle.get(), CURLOPT_POSTFIELDS, json->data());
    curl_easy_setopt(handle.get(), CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(json->size()));
  }
  if (const CURLcode code = curl_easy_perform(handle.get()); code != CURLE_OK)
    return explain_failure(code, socket_path_);
  long status = 0;
  curl_easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &status);
  reply.status = static_cast<int>(status);
  return reply;
}

}  // namespace weir::admin
