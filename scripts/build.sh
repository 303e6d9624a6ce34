#!/usr/bin/env bash
# Builds into build/ (or the folder named first); further arguments go to cmake.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=${1:-build}
[ $# -gt 0 ] && shift
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! cmake -S . -B "$folder" -G Ninja "$@" >"$log" 2>&1; then
  cat "$log" >&2
  exit 1
fi
echo "build: $folder"
ninja -C "$folder" --quiet
