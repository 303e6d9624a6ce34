#pragma once
// Calls the command line as a shell would, with a folder of the test's own.

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "cli/context.h"
#include "cli/run.h"
#include "tests/unit/support/temp_dir.h"

namespace weir::cli {

struct Outcome {
  int code = 0;
  std::string out, err;
  [[nodiscard]] nlohmann::json json() const { return nlohmann::json::parse(out); }
};

inline Outcome weir(const std::vector<std::string>& words, const std::string& input = "") {
  std::vector<const char*> argv = {"weir"};
  for (const auto& word : words) argv.push_back(word.c_str());
  std::istringstream in(input);
  std::ostringstream out, err;
  const int code = run(static_cast<int>(argv.size()), argv.data(), in, out, err);
  return {code, out.str(), err.str()};
}

inline constexpr const char* kServices = R"(apiVersion: v1
kind: Service
metadata: {name: reviews}
spec:
  clusterIP: 10.96.0.3
  selector: {app: reviews}
  ports: [{name: http, port: 9080}]
---
apiVersion: v1
kind: Pod
metadata: {name: reviews-1, labels: {app: reviews, version: v1}}
status: {podIP: 10.1.0.1, phase: Running, conditions: [{type: Ready, status: "True"}]}
---
apiVersion: v1
kind: Pod
metadata: {name: reviews-2, labels: {app: reviews, version: v2}}
status: {podIP: 10.1.0.2, phase: Running, conditions: [{type: Ready, status: "True"}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: reviews-a, labels: {kubernetes.io/service-name: reviews}}
addressType: IPv4
ports: [{name: http, port: 9080}]
endpoints:
- {addresses: [10.1.0.1], targetRef: {kind: Pod, name: reviews-1, namespace: default}}
- {addresses: [10.1.0.2], targetRef: {kind: Pod, name: reviews-2, namespace: default}}
)";

inline constexpr const char* kRules = R"(# how reviews is split
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: reviews}
spec:
  host: reviews
  subsets:
  - {name: v1, labels: {version: v1}}
  - {name: v2, labels: {version: v2}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: reviews
spec:
  hosts: [reviews]
  http:
  - route:
    - destination: {host: reviews, subset: v1}
      weight: 90  # old
    - destination: {host: reviews, subset: v2}
      weight: 10  # new
)";

class CliTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directory(folder_);
    write("services.yaml", kServices);
    write("rules.yaml", kRules);
  }
  void write(const std::string& name, const std::string& text) { std::ofstream(folder_ + "/" + name) << text; }
  std::string outside(const std::string& name, const std::string& text) {
    std::ofstream(dir_.file(name)) << text;
    return dir_.file(name);
  }
  std::string read(const std::string& name) {
    std::ifstream file(folder_ + "/" + name);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  bool exists(const std::string& name) { return std::filesystem::exists(folder_ + "/" + name); }
  /// On this folder, with no agent anywhere near.
  Outcome offline(std::vector<std::string> words, const std::string& input = "") {
    words.insert(words.end(), {"--config", folder_, "--run-dir", dir_.file("run")});
    return weir(words, input);
  }

  test::TempDir dir_;
  std::string folder_ = dir_.file("config");
};

}  // namespace weir::cli
