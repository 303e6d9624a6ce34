#!/usr/bin/env bash
# Set-up, build, and every test: format and layers, units, BPF programs, end to end, Istio's own answers; then the
# unit tests once more under AddressSanitizer and UndefinedBehaviorSanitizer.
#   scripts/test.sh             all of it
#   scripts/test.sh --no-setup  without installing packages
#   scripts/test.sh --fast      without the sanitizer build
set -euo pipefail
cd "$(dirname "$0")/.."

setup=yes
sanitize=yes
for argument in "$@"; do
  case "$argument" in
    --no-setup) setup=no ;;
    --fast) sanitize=no ;;
    *)
      echo "usage: scripts/test.sh [--no-setup] [--fast]" >&2
      exit 64
      ;;
  esac
done

[ "$setup" = no ] || scripts/setup.sh
scripts/check.sh --no-tidy
scripts/build.sh build -DWEIR_WERROR=ON
ctest --test-dir build --output-on-failure -j 2
if [ "$sanitize" = yes ]; then
  # -O1 and only what runs without a kernel program: BPF and end-to-end tests have run above.
  scripts/build.sh build-asan -DWEIR_SANITIZE=ON -DWEIR_WERROR=ON -DCMAKE_BUILD_TYPE=Debug
  ctest --test-dir build-asan --output-on-failure -j 2 -LE 'e2e|bench'
fi
