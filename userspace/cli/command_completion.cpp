// weir completion bash: words for the shell.

#include <memory>

#include "cli/command_table.h"

namespace weir::cli {
namespace {

constexpr const char* kBash = R"(# weir completion for bash: source <(weir completion bash)
_weir() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]}
  case "$before" in
    -o|--output) mapfile -t COMPREPLY < <(compgen -W 'table wide name json yaml' -- "$word"); return ;;
    -f|--filename|--requests|--mesh) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --config|--cgroup|--bpffs|--run-dir) mapfile -t COMPREPLY < <(compgen -d -- "$word"); return ;;
    get) mapfile -t COMPREPLY < <(compgen -W 'services routes splits endpoints' -- "$word"); return ;;
    describe) mapfile -t COMPREPLY < <(compgen -W 'service' -- "$word"); return ;;
    dump) mapfile -t COMPREPLY < <(compgen -W 'frontends splits endpoints sources proxy_ports verdicts packets meta' -- "$word"); return ;;
    service|services|splits|endpoints|weight|stat)
      local names
      names=$(timeout 1 weir get services -o name 2>/dev/null | sed -E 's|^service/([^.:]+).*|\1|' | sort -u)
      mapfile -t COMPREPLY < <(compgen -W "$names" -- "$word")
      return ;;
  esac
  if [ "$COMP_CWORD" -eq 1 ]; then
    mapfile -t COMPREPLY < <(compgen -W 'agent analyze explain get describe status stat check apply delete diff weight maps restart-proxy uninstall version completion' -- "$word")
  elif [ "$command" = analyze ] || [ "$command" = apply ]; then
    mapfile -t COMPREPLY < <(compgen -f -- "$word")
  elif [ "$command" = maps ]; then
    mapfile -t COMPREPLY < <(compgen -W 'dump' -- "$word")
  fi
}
complete -F _weir weir
)";

int completion(Context& context, const std::string& shell) {
  if (shell != "bash") return fail(context, kUsage, "no completion for \"" + shell + "\"", "only bash is known");
  context.out << kBash;
  return kOk;
}

}  // namespace

void add_completion(CommandTable& table) {
  auto shell = std::make_shared<std::string>();
  auto& command = table.add("completion", "words for the shell", "  source <(weir completion bash)\n",
                            [shell](Context& context) { return completion(context, *shell); });
  command.add_option("shell", *shell, "bash")->required()->type_name("SHELL");
}

}  // namespace weir::cli
