// weir explain: which rule a request takes, what follows from it, and whether the kernel agrees.

#include <fmt/format.h>

#include <fstream>
#include <functional>
#include <iterator>
#include <memory>

#include "agent/views/question.h"
#include "base/hash.h"
#include "base/ip_address.h"
#include "cli/agent_client.h"
#include "cli/command_table.h"
#include "cli/explain_text.h"
#include "cli/gateway_option.h"
#include "cli/offline.h"
#include "cli/url.h"
#include "http/field.h"
#include "routing/decide/explain_json.h"

namespace weir::cli {
namespace {

struct Options {
  std::string config, mesh, to, method, from, from_namespace, source_labels, gateway, requests;
  std::string http_split = "connection";
  std::vector<std::string> headers;
  uint64_t count = 0;
};

constexpr const char* kExamples =
    "  weir explain --config DIR --to http://reviews:9080/ -H end-user:jason\n"
    "  weir explain --to http://reviews:9080/ --from default/productpage-1     ask the agent, compare with the kernel\n"
    "  weir explain --to tcp://db.prod:5432 -n 10000                           draw 10000 picks with the kernel's "
    "code\n";

constexpr uint64_t kMostDraws = 100'000'000;

/// Answers one question; an Error is the question's fault.
using Asker = std::function<Result<Explained>(const Json& question)>;

/// Who asks: exactly one of --from, --gateway, or a namespace with labels.
Result<void> add_client(const Context& context, const Options& options, Json& question) {
  const bool by_parts = !options.from_namespace.empty() || !options.source_labels.empty();
  if ((!options.from.empty() ? 1 : 0) + (by_parts ? 1 : 0) + (!options.gateway.empty() ? 1 : 0) > 1)
    return Error{"--from, --gateway and --from-namespace with --source-labels exclude each other"};
  if (!options.from.empty()) {
    question["from_pod"] = options.from;
    return {};
  }
  if (!options.gateway.empty()) {
    const auto gateway = read_gateway(options.gateway);
    if (!gateway) return Error{"--gateway " + gateway.error().message};
    const std::string& space = context.options.namespace_.empty() ? gateway->namespace_ : context.options.namespace_;
    question["gateway"] = {{"namespace", space}, {"labels", gateway->labels}};
    return {};
  }
  const auto labels = read_labels(options.source_labels);
  if (!labels) return Error{"--source-labels: " + labels.error().message};
  std::string space = options.from_namespace.empty() ? context.options.namespace_ : options.from_namespace;
  if (space.empty()) space = "default";
  question["from"] = {{"namespace", space}, {"labels", *labels}};
  return {};
}

Result<void> add_headers(const Options& options, Json& question) {
  auto headers = Json::array();
  for (const auto& header : options.headers) {
    // A pseudo-header begins with the colon that would end another's name.
    const auto colon = header.find(':', header.starts_with(':') ? 1 : 0);
    if (colon == std::string::npos || colon == 0) return Error{"-H \"" + header + "\" is not name:value"};
    const std::string name(http::trim(std::string_view(header).substr(0, colon)));
    const std::string value(http::trim(std::string_view(header).substr(colon + 1)));
    if (name.size() == 4 && (name == "host" || name == "Host" || name == "HOST"))
      question["host"] = value;
    else
      headers.push_back(Json::array({name, value}));
  }
  question["headers"] = std::move(headers);
  return {};
}

Result<Json> make_question(const Context& context, const Options& options) {
  const auto target = parse_target(options.to);
  if (!target) return target.error();
  const bool address = IpAddress::parse(target->host).has_value();
  Json question = {{"host", target->protocol == "tcp" ? Json(nullptr) : Json(target->authority)},
                   {"dial", address ? "ip:" + target->host : target->host},
                   {"port", target->port},
                   {"protocol", target->protocol},
                   {"method", options.method.empty() ? "GET" : options.method},
                   {"path", target->path}};
  if (auto added = add_client(context, options, question); !added) return std::move(added).error();
  if (auto added = add_headers(options, question); !added) return std::move(added).error();
  return question;
}

Result<std::shared_ptr<const routing::Table>> read_table(Context& context, const Options& options) {
  auto loaded = load({options.config}, false, true);
  if (!loaded) return std::move(loaded).error();
  if (!options.mesh.empty()) {
    std::ifstream file(options.mesh);
    if (!file) return Error{options.mesh + ": cannot be read", ENOENT};
    add_text(*loaded, options.mesh, std::string(std::istreambuf_iterator<char>(file), {}));
  }
  size_t errors = 0;
  for (const auto& finding : loaded->store.diagnostics()) {
    if (finding.level != config::Level::kError) continue;
    if (++errors <= 5) context.err << config::to_text(finding) << "\n";
  }
  if (errors > 0)
    context.err << "weir: an agent would refuse this folder; the answer is for the objects that could be read\n";
  return file_table(loaded->store, options.http_split == "request");
}

Asker ask_table(std::shared_ptr<const routing::Table> table) {
  return [table = std::move(table)](const Json& entry) -> Result<Explained> {
    const auto question = agent::read_question(nlohmann::json(entry), *table);
    if (!question) return question.error();
    const auto decision = routing::explain(*table, question->client, question->request);
    return Explained{routing::to_json(decision), decision.steps, nullptr, nullptr};
  };
}

std::optional<Drawn> draw_for(Context& context, const Json& decision, uint64_t count) {
  std::vector<DrawTarget> targets;
  for (const auto& destination : decision["destinations"]) targets.push_back({destination["weight"].get<uint64_t>()});
  auto drawn = draw(targets, count, hash64(decision["service"].get<std::string>()));
  if (drawn) return std::move(*drawn);
  context.err << "weir: nothing drawn: " << drawn.error().message << "\n";
  return std::nullopt;
}

int show(Context& context, const Options& options, Explained answer) {
  std::optional<Drawn> drawn;
  if (options.count > 0) drawn = draw_for(context, answer.decision, options.count);
  const bool differs = answer.kernel.is_object() && !answer.kernel["agrees"].get<bool>();
  if (context.machine_readable()) {
    if (drawn) add_drawn(answer.decision, *drawn);
    print(context, answer.decision);
  } else {
    context.out << explain_text(context, answer, drawn);
  }
  if (!differs) return kOk;
  context.err << "weir: the kernel's maps are not as the configuration says; the agent mends them within 30 s\n";
  return kError;
}

/// Each question of the file, one JSON line each, in order.
int answer_all(Context& context, const std::string& path, const Asker& asker) {
  std::ifstream file(path);
  if (!file) return fail(context, kUnreadable, path + ": cannot be read");
  const Json list = Json::parse(file, nullptr, false);
  if (!list.is_array()) return fail(context, kUnreadable, path + ": is not a JSON list of requests");
  for (size_t i = 0; i < list.size(); ++i) {
    const auto answer = asker(list[i]);
    if (!answer) return fail(context, kUnreadable, fmt::format("{}: request {}: {}", path, i, answer.error().message));
    context.out << answer->decision.dump(-1, ' ', false, Json::error_handler_t::replace) << "\n";
  }
  return kOk;
}

int answer_one(Context& context, const Options& options, const Asker& asker) {
  const auto question = make_question(context, options);
  if (!question) return fail(context, kUsage, question.error().message);
  auto answer = asker(*question);
  if (!answer) return fail(context, kUsage, answer.error().message);
  return show(context, options, std::move(*answer));
}

int explain_offline(Context& context, const Options& options) {
  auto table = read_table(context, options);
  if (!table) return fail(context, kUnreadable, table.error().message);
  const Asker asker = ask_table(std::move(*table));
  return options.requests.empty() ? answer_one(context, options, asker) : answer_all(context, options.requests, asker);
}

int explain_live(Context& context, const Options& options) {
  // The agent's own refusal has been said by ask(); its exit code goes on.
  int exit = kOk;
  const Asker asker = [&](const Json& question) -> Result<Explained> {
    auto answer = ask(context, "/explain", question);
    exit = answer.exit;
    if (!answer.ok()) return Error{""};
    Explained explained{
        std::move(answer.json["decision"]), {}, std::move(answer.json["kernel"]), std::move(answer.json["proxy"])};
    for (const auto& step : answer.json["steps"]) explained.steps.push_back(step.get<std::string>());
    return explained;
  };
  if (!options.requests.empty()) {
    const int code = answer_all(context, options.requests, asker);
    return exit != kOk ? exit : code;
  }
  const auto question = make_question(context, options);
  if (!question) return fail(context, kUsage, question.error().message);
  auto answer = asker(*question);
  return answer ? show(context, options, std::move(*answer)) : exit;
}

int explain(Context& context, const Options& options) {
  if (options.to.empty() == options.requests.empty())
    return fail(context, kUsage, "give either --to URL or --requests FILE", "weir explain --help shows examples");
  if (options.count > kMostDraws) return fail(context, kUsage, fmt::format("-n is at most {}", kMostDraws));
  if (!options.mesh.empty() && options.config.empty()) return fail(context, kUsage, "--mesh needs --config");
  if (options.http_split != "connection" && options.config.empty())
    return fail(context, kUsage, "--http-split needs --config", "an agent has its own --http-split");
  return options.config.empty() ? explain_live(context, options) : explain_offline(context, options);
}

}  // namespace

void add_explain(CommandTable& table) {
  auto options = std::make_shared<Options>();
  auto& command = table.add("explain", "which rule a request takes, where it goes, and why", kExamples,
                            [options](Context& context) { return explain(context, *options); });
  command.add_option("--config", options->config, "a folder or file; without it the agent is asked")->type_name("DIR");
  command.add_option("--mesh", options->mesh, "mesh-wide settings (mesh.yaml of the folder is read too)")
      ->type_name("FILE");
  command.add_option("--http-split", options->http_split, "as the agent's: connection or request")
      ->check(CLI::IsMember({"connection", "request"}))
      ->capture_default_str()
      ->type_name("BY");
  command.add_option("--to", options->to, "what is dialled: http://HOST[:PORT]/PATH, https://…, tcp://HOST:PORT")
      ->type_name("URL");
  command.add_option("-H,--header", options->headers, "a request header; host: stands for the URL's")
      ->type_name("NAME:VALUE");
  command.add_option("--method", options->method, "GET by default")->type_name("METHOD");
  command.add_option("--from", options->from, "the client: a pod of the configuration")->type_name("NS/POD");
  command.add_option("--from-namespace", options->from_namespace, "the client's namespace (default)")->type_name("NS");
  command.add_option("--source-labels", options->source_labels, "the client's labels")->type_name("K=V,…");
  command.add_option("--gateway", options->gateway, "at that gateway: NAME of the Gateway API, or labels")
      ->type_name("[NS/]NAME|K=V,…");
  command.add_option("-n,--count", options->count, "draw so many picks with the kernel's code")->type_name("N");
  command.add_option("--requests", options->requests, "a JSON list of requests: one answer a line")->type_name("FILE");
}

}  // namespace weir::cli
