#!/usr/bin/env bash
# One command says yes or no: format, layers, sizes, names, tests beside sources, docs/hardening.md, and (unless --no-tidy) clang-tidy.
set -euo pipefail
cd "$(dirname "$0")/.."

failed=0
step() {
  local name=$1
  shift
  if "$@"; then
    echo "check: $name: ok"
  else
    echo "check: $name: FAILED" >&2
    failed=1
  fi
}

format() {
  git ls-files '*.cpp' '*.h' '*.c' | xargs clang-format-14 --dry-run --Werror
}
shell_syntax() {
  local file
  for file in $(git ls-files 'scripts/*.sh' 'tests/*.sh' .ci/run); do bash -n "$file" || return 1; done
}
tidy() {
  [ -f build/compile_commands.json ] || cmake -S . -B build -G Ninja >/dev/null
  ninja -C build --quiet
  git ls-files 'userspace/*.cpp' | xargs -P 2 -n 4 clang-tidy-14 -p build --quiet 2>/dev/null
}

step format format
step structure python3 scripts/check_structure.py
step hardening python3 scripts/check_hardening.py
step 'shell syntax' shell_syntax
[ "${1:-}" = --no-tidy ] || step clang-tidy tidy
exit $failed
