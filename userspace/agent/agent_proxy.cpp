// What the agent answers on its socket about the proxy and what was carried.

#include "agent/agent.h"
#include "agent/views/metrics.h"
#include "agent/views/stat_view.h"

namespace weir::agent {
namespace {

constexpr auto kRestartTimeout = std::chrono::seconds(12);

admin::Response json_response(const Json& json) {
  return {200, json.dump(-1, ' ', false, Json::error_handler_t::replace)};
}

}  // namespace

void Agent::add_proxy_requests() {
  admin_.add(
      admin::Method::kGet, "/stat", [this](const admin::Request&) { return handle_stat(); },
      "what each version of each service has carried");
  admin_.add(
      admin::Method::kGet, "/metrics", [this](const admin::Request&) { return handle_metrics(); },
      "counters as Prometheus text");
  admin_.add(
      admin::Method::kPost, "/proxy/restart", [this](const admin::Request&) { return handle_restart_proxy(); },
      "put a new proxy in place of the running one, which drains", admin::Access::kChange);
}

admin::Response Agent::handle_stat() const {
  const auto state = snapshot();
  const auto maps = datapath::read_maps(options_.bpffs_dir);
  const auto report = proxy_->report();
  const bool has_report = report && report->has_value();
  Json json = {{"generation", state->generation},
               {"proxy", to_string(state->proxy.what)},
               {"proxy_uptime_ms", has_report ? Json((*report)->uptime_ms) : Json(nullptr)},
               {"error", report ? "" : report.error().message}};
  json["services"] = stat_view(state->table.get(), maps ? &*maps : nullptr, has_report ? &**report : nullptr);
  return json_response(json);
}

admin::Response Agent::handle_metrics() const {
  const auto maps = datapath::read_maps(options_.bpffs_dir);
  const auto report = proxy_->report();
  const bool has_report = report && report->has_value();
  return {200, metrics_text(*snapshot(), maps ? &*maps : nullptr, has_report ? &**report : nullptr),
          "text/plain; version=0.0.4; charset=utf-8"};
}

admin::Response Agent::handle_restart_proxy() {
  struct Answer {
    Result<void> result = Error{"not done"};
    int before = 0, after = 0;
  };
  // Owned by the work too: it may run after we have given up.
  const auto answer = std::make_shared<Answer>();
  const auto called = loop_->call(
      [this, answer] {
        answer->before = proxy_->state().pid;
        answer->result = proxy_->replace("asked for");
        answer->after = proxy_->state().pid;
      },
      kRestartTimeout);
  if (!called) return admin::error_response(503, called.error().message);
  if (!answer->result) return admin::error_response(409, answer->result.error().message);
  return json_response({{"old_pid", answer->before}, {"new_pid", answer->after}});
}

}  // namespace weir::agent
