#pragma once
// The packet programs, loaded as the product loads them, run one frame at a time by BPF_PROG_TEST_RUN in a network
// namespace of the test's own: device out0, the node's address, a neighbour for endpoints elsewhere and a gateway to
// the clients.

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "bpf/packet/abi.h"
#include "datapath/north_object.h"
#include "datapath/sieve.h"
#include "packet_builder.h"
#include "packet_text.h"
#include "sandbox.h"

namespace weir::datapath::test {

inline constexpr Mac kEndpointMac{2, 0, 0, 0, 0, 9};
inline constexpr Mac kGatewayMac{2, 0, 0, 0, 0, 0xfe};
inline constexpr const char* kNode4 = "192.0.2.1";
inline constexpr const char* kNode6 = "2001:db8::1";
inline constexpr const char* kClient4 = "198.51.100.7";
inline constexpr const char* kClient6 = "2001:db8:c::7";
inline constexpr const char* kVip4 = "203.0.113.10";
inline constexpr const char* kVip6 = "2001:db8:5::10";
inline constexpr uint16_t kFirstPort = 20000, kPortCount = 400;

enum class Program { kXdp, kIn, kOut };

struct Outcome {
  int verdict = 0;
  Frame frame;
  std::string counted;  // the counters that moved, but "seen": "flow_new local"
  uint32_t nanoseconds = 0;
};

/// What a program said, in words: "pass", "tx", "redirect", "drop".
std::string verdict_text(Program program, int verdict);

class PacketTest : public ::testing::Test {
 protected:
  void SetUp() override;
  /// Services whose frontends hold for traffic from outside.
  static std::shared_ptr<routing::ServicePlan> outside(const std::string& name, const std::string& address,
                                                       uint16_t port, const std::vector<Part>& parts,
                                                       uint8_t protocol = 6);
  static routing::PlanEndpoint local(const std::string& address, uint16_t port = 8080);
  static routing::PlanEndpoint remote(const std::string& address, uint16_t port = 8080);
  /// Services on kVip4 and kVip6 with one endpoint each: "near" (80) on the node, "far" (81) elsewhere; "dns" on the
  /// node.
  static std::vector<std::shared_ptr<routing::ServicePlan>> near_and_far();
  void apply(std::vector<std::shared_ptr<routing::ServicePlan>> services);
  void expect(const routing::PlanFrontend& frontend);
  void configure(const abi::north_config& config);
  [[nodiscard]] static abi::north_config usual_config();
  /// Loads the programs with tables of these sizes; SetUp() has done so with small ones.
  void load(const NorthSizes& sizes);

  /// Runs a program on a frame and holds what comes out against what must hold of every packet: same length, right
  /// checksums out of right ones, nothing changed in what is not carried, one verdict counted.
  Outcome run(Program program, const Frame& frame, uint32_t repeat = 1);
  /// The kernel runs no tc program on a frame without the IP header that its type promises.
  static bool runs(Program program, const Frame& frame);
  std::string text_of(Program program, const Frame& frame);  // "drop", "pass: …"
  [[nodiscard]] std::map<std::string, uint64_t> counts() const;
  [[nodiscard]] size_t entries(NorthMap map) const;
  [[nodiscard]] std::vector<std::pair<abi::flow_key, abi::flow>> flows() const;
  void replace_flow(const abi::flow_key& key, const abi::flow& flow);
  [[nodiscard]] int map_fd(NorthMap map) const { return north.maps[static_cast<size_t>(map)].get(); }
  [[nodiscard]] int program_fd(Program program) const;
  void shell(const std::string& command);

  Sandbox sandbox;
  std::unique_ptr<Datapath> datapath;
  std::unique_ptr<MapSet> maps;
  NorthObject north;
  uint32_t device = 0;
  uint64_t generation = 0;
};

}  // namespace weir::datapath::test
