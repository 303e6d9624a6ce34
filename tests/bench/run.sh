#!/usr/bin/env bash
# All benchmarks, with Debian's nftables, HAProxy and nginx as peers in the same run; prints one Markdown page.
#   tests/bench/run.sh [--quick] [--out FILE] [--only exactness,speed,scale,proxy,routing,outside] [--no-install]
set -euo pipefail
cd "$(dirname "$0")"

install=yes
arguments=()
for argument in "$@"; do
  if [ "$argument" = --no-install ]; then install=no; else arguments+=("$argument"); fi
done

missing=()
for package in nftables haproxy nginx-light libnginx-mod-stream; do
  # nginx in any of its variants will do.
  case $package in nginx-light) command -v nginx >/dev/null && continue ;; esac
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ] && [ $install = yes ] && [ "$(id -u)" -eq 0 ]; then
  echo "bench: installing ${missing[*]}" >&2
  log=$(mktemp)
  # RUNLEVEL=1: the packages must not start their services.
  DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -q --no-install-recommends "${missing[@]}" >"$log" 2>&1 ||
    { tail -3 "$log" >&2; echo "bench: could not install ${missing[*]}: shown as skipped" >&2; }
  rm -f "$log"
fi
exec /usr/bin/python3 bench.py "${arguments[@]+"${arguments[@]}"}"
