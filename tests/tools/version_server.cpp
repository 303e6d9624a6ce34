// Servers that say which version they are, any number in one process:
//
//   version_server --http v1@127.1.0.1:8080 --tcp one@127.1.1.1:9000
//   version_server --bookinfo productpage-v1@127.1.0.1:9080 --bookinfo reviews-v1@127.1.2.1:9080 ...
//                  --details 10.96.0.2:9080 --reviews 10.96.0.3:9080 --ratings 10.96.0.4:9080
//
//   version_server --relay message@127.1.5.1:8080 --next 10.96.0.6:8080
//
// HTTP: any path answers "NAME COUNT" with the header X-Version. TCP: greets with "NAME\n", then answers each line with
// "NAME line". Prints "ready" when all listen; then answers to lines on stdin: `counts` with one line of JSON, `quit`.

#include <unistd.h>

#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "arguments.h"
#include "bookinfo.h"
#include "server_instance.h"
#include "socket_address.h"

namespace weir::tools {
namespace {

using Instances = std::vector<std::unique_ptr<ServerInstance>>;

Handler version_handler(const std::string& name) {
  return [name](const HttpHead&, uint64_t number) {
    return Answer{.fields = "X-Version: " + name + "\r\n", .body = name + " " + std::to_string(number) + "\n"};
  };
}

/// "NAME@ADDRESS:PORT".
Result<std::pair<std::string, SocketAddress>> parse_instance(const std::string& text) {
  const size_t at = text.find('@');
  if (at == std::string::npos || at == 0) return Error{text + ": not NAME@ADDRESS:PORT"};
  auto address = parse_socket_address(text.substr(at + 1));
  if (!address) return std::move(address).error();
  return std::pair{text.substr(0, at), *address};
}

Result<Handler> make_handler(const Arguments& arguments, const std::string& option, const std::string& name,
                             const BookinfoServices& services) {
  if (option == "bookinfo") return bookinfo_handler(name, services);
  if (option != "relay") return version_handler(name);
  auto next = parse_socket_address(arguments.get("next"));
  if (!next) return std::move(next).error().context("--next");
  return relay_handler(name, *next);
}

Result<void> add_instances(const Arguments& arguments, const std::string& option, const BookinfoServices& services,
                           Instances& instances) {
  for (const std::string& text : arguments.all(option)) {
    auto parsed = parse_instance(text);
    if (!parsed) return std::move(parsed).error();
    const auto& [name, address] = *parsed;
    Result<Handler> handler = make_handler(arguments, option, name, services);
    if (!handler) return std::move(handler).error();
    const auto protocol = option == "tcp" ? ServerInstance::Protocol::kTcp : ServerInstance::Protocol::kHttp;
    instances.push_back(std::make_unique<ServerInstance>(name, address, protocol, *handler));
    WEIR_TRY(instances.back()->start());
  }
  return {};
}

Result<BookinfoServices> parse_services(const Arguments& arguments) {
  BookinfoServices services;
  for (const auto& [option, target] :
       {std::pair{"details", &services.details}, {"reviews", &services.reviews}, {"ratings", &services.ratings}}) {
    if (!arguments.has(option)) continue;
    auto address = parse_socket_address(arguments.get(option));
    if (!address) return std::move(address).error();
    *target = *address;
  }
  return services;
}

Result<Instances> start_all(int argc, char** argv) {
  auto arguments = Arguments::parse(
      argc, argv, {"http", "tcp", "bookinfo", "relay", "next", "details", "reviews", "ratings"}, {"exit-on-eof"});
  if (!arguments) return std::move(arguments).error();
  auto services = parse_services(*arguments);
  if (!services) return std::move(services).error();
  Instances instances;
  for (const char* option : {"http", "tcp", "bookinfo", "relay"}) {
    WEIR_TRY(add_instances(*arguments, option, *services, instances));
  }
  if (instances.empty()) return Error{"nothing to serve: give --http, --tcp, --relay or --bookinfo NAME@ADDRESS:PORT"};
  return instances;
}

void print_counts(const Instances& instances) {
  const char* separator = "[";
  for (const auto& instance : instances) {
    std::cout << separator << R"({"name":")" << instance->name() << R"(","address":")"
              << instance->address().to_string() << R"(","connections":)" << instance->connections()
              << R"(,"requests":)" << instance->requests() << R"(,"open":)" << instance->open() << "}";
    separator = ",";
  }
  std::cout << "]" << std::endl;
}

int run(int argc, char** argv) {
  const auto instances = start_all(argc, argv);
  if (!instances) {
    std::cerr << "version_server: " << instances.error().message << "\n";
    return 1;
  }
  std::cout << "ready" << std::endl;
  for (std::string line; std::getline(std::cin, line);) {
    if (line == "quit") return 0;
    if (line == "counts") print_counts(*instances);
  }
  if (argc > 1 && std::string_view(argv[argc - 1]) == "--exit-on-eof") return 0;
  for (;;) pause();
}

}  // namespace
}  // namespace weir::tools

int main(int argc, char** argv) {
  const int status = weir::tools::run(argc, argv);
  // The instances' threads never end by themselves: leave without running destructors under them.
  std::cout.flush();
  _exit(status);
}
