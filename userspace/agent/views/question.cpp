#include "agent/views/question.h"

#include <nlohmann/json.hpp>

#include "routing/view/resolve.h"

namespace weir::agent {

Result<routing::Question> read_question(const nlohmann::json& entry, const routing::Table& table) {
  if (!entry.is_object() || !entry.contains("from_pod")) return routing::parse_question(entry, &table);
  const auto& named = entry["from_pod"];
  const std::string pod = named.is_string() ? named.get<std::string>() : "";
  const auto slash = pod.find('/');
  if (slash == std::string::npos || slash == 0 || slash + 1 == pod.size())
    return Error{"from_pod: write NAMESPACE/POD, not " + named.dump()};
  const auto client = routing::client_of_pod(table, pod.substr(0, slash), pod.substr(slash + 1));
  if (!client) return Error{"there is no pod " + pod + " in the configuration"};
  // The reader of questions demands a client; the pod takes its place.
  nlohmann::json rest = entry;
  rest.erase("from_pod");
  rest["from"] = {{"namespace", client->namespace_}, {"labels", nlohmann::json::object()}};
  auto question = routing::parse_question(rest, &table);
  if (question) question->client = *client;
  return question;
}

}  // namespace weir::agent
