// What the agent answers on its socket.

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "agent/agent.h"
#include "agent/node/kernel_check.h"
#include "agent/views/proxy_view.h"
#include "agent/views/question.h"
#include "routing/decide/explain_json.h"

namespace weir::agent {
namespace {

constexpr auto kReloadTimeout = std::chrono::seconds(10);

admin::Response json_response(const Json& json) {
  // Names come from files and may hold anything.
  return {200, json.dump(-1, ' ', false, Json::error_handler_t::replace)};
}

}  // namespace

KernelFacts Agent::kernel_facts() const {
  KernelFacts facts;
  if (auto status = datapath::read_status(options_.bpffs_dir, options_.cgroup))
    facts.status = std::move(*status);
  else
    facts.error = "hooks cannot be read: " + status.error().message;
  if (auto maps = datapath::read_maps(options_.bpffs_dir))
    facts.maps = std::move(*maps);
  else
    facts.error = "maps cannot be read: " + maps.error().message;
  return facts;
}

template <class View>
void Agent::add_view(std::string path, std::string name, View view, std::string help) {
  admin_.add(
      admin::Method::kGet, std::move(path),
      [this, name = std::move(name), view](const admin::Request&) {
        const auto state = snapshot();
        auto maps = datapath::read_maps(options_.bpffs_dir);
        Json json = {{"generation", state->generation}};
        json[name] = view(state->table.get(), maps ? &*maps : nullptr);
        return json_response(json);
      },
      std::move(help));
}

admin::Response Agent::handle_status() const {
  State state = *snapshot();
  for (auto& device : state.outside.devices) datapath::read_device(options_.bpffs_dir, &device);
  return json_response(status_view(facts_, state, kernel_facts()));
}

Result<void> Agent::start_admin() {
  publish();
  admin_.add(
      admin::Method::kGet, "/status", [this](const admin::Request&) { return handle_status(); },
      "health of the agent, its configuration, hooks and maps");
  add_view("/services", "services", &services_view, "every service port, its path and why");
  add_view(
      "/routes", "routes", [](const routing::Table* table, const datapath::MapsView*) { return routes_view(table); },
      "every route of every VirtualService");
  add_view(
      "/splits", "splits",
      [this](const routing::Table* table, const datapath::MapsView* maps) {
        return splits_view(table, maps, observed_);
      },
      "every split, intended and observed share");
  add_view("/gateways", "gateways", &gateways_view, "ports of this node that are an ingress gateway's");
  add_view("/endpoints", "endpoints", &endpoints_view, "every endpoint, healthy or not");
  admin_.add(
      admin::Method::kGet, "/maps",
      [this](const admin::Request&) {
        const auto maps = datapath::read_maps(options_.bpffs_dir);
        if (!maps) return admin::error_response(503, maps.error().message);
        return json_response({{"generation", maps->generation},
                              {"maps", maps_json(*maps)},
                              {"verdicts", verdicts_json(*maps)},
                              {"packets", packets_json(*maps)},
                              {"problems", maps->problems}});
      },
      "the kernel's maps: how full, and the verdict counters");
  admin_.add(
      admin::Method::kPost, "/explain", [this](const admin::Request& request) { return handle_explain(request); },
      "which rule a request takes, and whether the kernel agrees");
  admin_.add(
      admin::Method::kPost, "/reload", [this](const admin::Request&) { return handle_reload(); },
      "read the folder now; answers when the kernel has it, or with why not");
  add_proxy_requests();
  return admin_.start(socket_path(options_.run_dir));
}

admin::Response Agent::handle_explain(const admin::Request& request) const {
  const auto state = snapshot();
  if (!state->table) return admin::error_response(503, "no configuration has been taken over yet");
  const auto entry = nlohmann::json::parse(request.body, nullptr, false);
  if (entry.is_discarded()) return admin::error_response(400, "the body is not JSON");
  const auto question = read_question(entry, *state->table);
  if (!question) return admin::error_response(400, question.error().message);
  const auto decision = routing::explain(*state->table, question->client, question->request);
  Json json = {{"generation", state->generation}, {"decision", routing::to_json(decision)}, {"steps", decision.steps}};
  if (const auto maps = datapath::read_maps(options_.bpffs_dir); maps && !decision.service.empty()) {
    const auto check = check_kernel(*state->table, decision.service, decision.port, *maps);
    json["kernel"] = {{"agrees", check.differences.empty()},
                      {"generation", maps->generation},
                      {"entries", check.entries},
                      {"differences", check.differences}};
  } else {
    json["kernel"] = nullptr;
  }
  json["proxy"] =
      decision.path == routing::Path::kProxy ? proxy_outcome(*state, decision.service, decision.port) : Json(nullptr);
  return json_response(json);
}

admin::Response Agent::handle_reload() {
  const auto called = loop_->call([this] { reload(); }, kReloadTimeout);
  if (!called) return admin::error_response(503, called.error().message);
  const auto state = snapshot();
  auto errors = Json::array();
  if (state->trouble)
    for (const auto& diagnostic : state->trouble->errors) errors.push_back(diagnostic_json(diagnostic));
  return json_response({{"generation", state->generation},
                        {"accepted", !state->trouble.has_value()},
                        {"summary", state->trouble ? state->trouble->summary : ""},
                        {"errors", std::move(errors)}});
}

}  // namespace weir::agent
