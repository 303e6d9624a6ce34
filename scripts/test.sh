#!/usr/bin/env bash
# Set-up, build, and every test: format and structure, units, BPF programs, Istio's own answers, end to end.
#   scripts/test.sh             all of it
#   scripts/test.sh --no-setup  without installing packages
#   scripts/test.sh --sanitize  and then the units once more under AddressSanitizer and UndefinedBehaviorSanitizer
set -euo pipefail
cd "$(dirname "$0")/.."

setup=yes
sanitize=no
for argument in "$@"; do
  case "$argument" in
    --no-setup) setup=no ;;
    --sanitize) sanitize=yes ;;
    *)
      echo "usage: scripts/test.sh [--no-setup] [--sanitize]" >&2
      exit 64
      ;;
  esac
done

[ "$setup" = no ] || scripts/setup.sh
scripts/check.sh --no-tidy
scripts/build.sh build
ctest --test-dir build --output-on-failure -j 2
if [ "$sanitize" = yes ]; then
  scripts/build.sh build-asan -DWEIR_SANITIZE=ON -DCMAKE_BUILD_TYPE=Debug
  ctest --test-dir build-asan --output-on-failure -j 2 -LE 'e2e|bench'
fi
