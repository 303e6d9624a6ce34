#include "bookinfo.h"

#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace weir::tools {
namespace {

/// What a service answered, or the errno of the call that failed.
struct Fetched {
  std::string version;
  std::string body;
  std::string failure;
};

Fetched failed(const char* what) {
  const char* name = strerrorname_np(errno);
  return {.version = "", .body = "", .failure = std::string(what) + ": " + (name != nullptr ? name : "?")};
}

Fetched fetch(const std::optional<SocketAddress>& address, std::string_view host, std::string_view path) {
  if (!address) return {.version = "", .body = "", .failure = "no address given"};
  const FileDescriptor fd(socket(address->family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  const timeval limit{.tv_sec = 3, .tv_usec = 0};
  setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
  if (connect(fd.get(), address->get(), address->length) != 0) return failed("connect");
  const std::string request =
      "GET " + std::string(path) + " HTTP/1.1\r\nHost: " + std::string(host) + ":9080\r\nConnection: close\r\n\r\n";
  if (send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL) < 0) return failed("send");
  std::string text;
  std::array<char, 4096> buffer;
  ssize_t got = 0;
  while ((got = recv(fd.get(), buffer.data(), buffer.size(), 0)) > 0) text.append(buffer.data(), got);
  if (got < 0) return failed("recv");
  const auto head = read_head(text);
  if (!head || response_status(head->first_line) != 200) return {.version = "", .body = "", .failure = "bad answer"};
  return {.version = std::string(head->field("x-version")), .body = text.substr(head->length), .failure = ""};
}

std::string rating(int stars, std::string_view color) {
  return R"(,"rating":{"stars":)" + std::to_string(stars) + R"(,"color":")" + std::string(color) + "\"}";
}

Answer reviews_answer(const std::string& version, const BookinfoServices& services) {
  std::string first, second;
  if (version != "v1") {
    const std::string_view color = version == "v2" ? "black" : "red";
    const Fetched ratings = fetch(services.ratings, "ratings", "/ratings/0");
    const std::string error = R"(,"rating":{"error":"Ratings service is currently unavailable"})";
    first = ratings.failure.empty() ? rating(5, color) : error;
    second = ratings.failure.empty() ? rating(4, color) : error;
  }
  return {.fields = "Content-Type: application/json\r\n",
          .body = R"({"id":"0","podname":"reviews-)" + version + R"(","reviews":[)" +
                  R"({"reviewer":"Reviewer1","text":"An extremely entertaining play by Shakespeare.")" + first +
                  R"(},{"reviewer":"Reviewer2","text":"Absolutely fun and entertaining.")" + second + "}]}\n"};
}

std::string reviews_section(const Fetched& reviews) {
  if (!reviews.failure.empty()) return "<p>Error fetching product reviews! (" + reviews.failure + ")</p>\n";
  const std::string& version = reviews.version;
  const std::string stars = "&#9733;&#9733;&#9733;&#9733;&#9733;";
  std::string section = "<p>Reviews served by: reviews-" + version + "</p>\n";
  if (version == "v1") return section + "<p>(no stars)</p>\n";
  return section + "<p><font color=\"" + (version == "v2" ? "black" : "red") + "\">" + stars + "</font></p>\n";
}

Answer productpage_answer(const BookinfoServices& services) {
  const Fetched details = fetch(services.details, "details", "/details/0");
  const Fetched reviews = fetch(services.reviews, "reviews", "/reviews/0");
  const std::string details_text = details.failure.empty() ? details.body : "unavailable: " + details.failure + "\n";
  return {.fields =
              "Content-Type: text/html\r\nX-Reviews-Version: " + (reviews.failure.empty() ? reviews.version : "error") +
              "\r\nX-Details-Version: " + (details.failure.empty() ? details.version : "error") + "\r\n",
          .body =
              "<html><head><title>Simple Bookstore App</title></head><body>\n<h1>The Comedy of Errors</h1>\n"
              "<h2>Book Details</h2>\n<pre>" +
              details_text + "</pre>\n<h2>Book Reviews</h2>\n" + reviews_section(reviews) + "</body></html>\n"};
}

Answer answer_as(const std::string& role, const std::string& version, const BookinfoServices& services) {
  if (role == "productpage") return productpage_answer(services);
  if (role == "reviews") return reviews_answer(version, services);
  const std::string fields = "Content-Type: application/json\r\n";
  if (role == "ratings") {
    return {.fields = fields, .body = "{\"id\":0,\"ratings\":{\"Reviewer1\":5,\"Reviewer2\":4}}\n"};
  }
  return {.fields = fields,
          .body = "{\"id\":0,\"author\":\"William Shakespeare\",\"year\":1595,\"type\":\"paperback\",\"pages\":200}\n"};
}

}  // namespace

Handler relay_handler(const std::string& name, const SocketAddress& next) {
  return [name, next](const HttpHead& request, uint64_t) {
    const Fetched fetched = fetch(next, "next", request_path(request.first_line));
    const bool answered = fetched.failure.empty();
    return Answer{
        .fields = "X-Version: " + name + "\r\nX-Next-Version: " + (answered ? fetched.version : "error") + "\r\n",
        .body = answered ? fetched.body : fetched.failure + "\n"};
  };
}

Result<Handler> bookinfo_handler(const std::string& name, const BookinfoServices& services) {
  const size_t dash = name.find('-');
  const std::string role = name.substr(0, dash);
  if (dash == std::string::npos ||
      (role != "productpage" && role != "details" && role != "reviews" && role != "ratings")) {
    return Error{name + ": not productpage-V, details-V, reviews-V or ratings-V"};
  }
  const std::string version = name.substr(dash + 1);
  return Handler([role, version, services](const HttpHead&, uint64_t) {
    Answer answer = answer_as(role, version, services);
    answer.fields += "X-Version: " + version + "\r\n";
    return answer;
  });
}

}  // namespace weir::tools
