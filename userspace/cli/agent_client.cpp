#include "cli/agent_client.h"

#include <fmt/format.h>

#include <cerrno>

#include "admin/client.h"

namespace weir::cli {
namespace {

AgentAnswer unreachable(Context& context, const Error& error) {
  const std::string socket = context.socket_path();
  if (error.code == EACCES || error.code == EPERM)
    return {fail(context, kNoPermission, "no permission to ask the agent at " + socket,
                 "run it as root, or as a member of the socket's group"),
            {}};
  if (error.code == ENOENT || error.code == ECONNREFUSED)
    return {fail(context, kUnreachable, "no agent runs at " + socket,
                 "start one with weir agent --config DIR, or say where it is with --run-dir or --socket"),
            {}};
  return {fail(context, kUnreachable, "the agent cannot be reached: " + error.message), {}};
}

AgentAnswer answer_of(Context& context, Result<admin::Reply> reply) {
  if (!reply) return unreachable(context, reply.error());
  Json json = Json::parse(reply->body, nullptr, false);
  if (json.is_discarded())
    return {fail(context, kError, fmt::format("the agent answered {} and no JSON", reply->status)), {}};
  if (reply->status == 200) return {kOk, std::move(json)};
  const std::string message = json.value("error", fmt::format("status {}", reply->status));
  const Exit code = reply->status == 403 ? kNoPermission : reply->status == 400 ? kUsage : kError;
  return {fail(context, code, "the agent says: " + message), {}};
}

}  // namespace

AgentAnswer ask(Context& context, const std::string& path) {
  return answer_of(context, admin::Client(context.socket_path()).get(path));
}

AgentAnswer ask(Context& context, const std::string& path, const Json& body) {
  return answer_of(context, admin::Client(context.socket_path()).post(path, body.dump()));
}

std::optional<Json> ask_quietly(const Context& context, const std::string& path) {
  const auto reply = admin::Client(context.socket_path()).get(path);
  if (!reply || reply->status != 200) return std::nullopt;
  Json json = Json::parse(reply->body, nullptr, false);
  if (json.is_discarded()) return std::nullopt;
  return json;
}

ReloadAnswer reload(const Context& context) {
  ReloadAnswer answer;
  const auto reply = admin::Client(context.socket_path()).post("/reload", "{}");
  if (!reply || reply->status != 200) return answer;
  const Json json = Json::parse(reply->body, nullptr, false);
  if (json.is_discarded()) return answer;
  answer.accepted = json.value("accepted", false);
  answer.refused = !answer.accepted;
  answer.generation = json.value("generation", uint64_t{0});
  answer.summary = json.value("summary", "");
  return answer;
}

}  // namespace weir::cli
