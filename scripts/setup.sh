#!/usr/bin/env bash
# Installs what Weir is built, run and tested with: packages of Debian 12, nothing else. Safe to run again.
set -euo pipefail

# build
packages=(g++ cmake ninja-build pkg-config clang-14 llvm-14 bpftool libbpf-dev libelf-dev zlib1g-dev
  libyaml-cpp-dev libspdlog-dev libfmt-dev libcli11-dev nlohmann-json3-dev libdtl-dev libre2-dev libcpp-httplib-dev
  libcurl4-openssl-dev liburing-dev libseccomp-dev libc-ares-dev node-llhttp libnghttp2-dev)
# tests, checks
packages+=(libgtest-dev libgmock-dev libbenchmark-dev ccache clang-format-14 clang-tidy-14 libclang-rt-14-dev python3
  python3-yaml iproute2 util-linux curl jq nftables
  python3-aiohttp wrk hey nghttp2-client)
command -v nginx >/dev/null || packages+=(nginx-light)  # any variant will do
command -v node >/dev/null || packages+=(nodejs)

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
  echo "setup: all ${#packages[@]} packages are here"
  exit 0
fi

echo "setup: installing ${#missing[@]} of ${#packages[@]} packages: ${missing[*]}"
run=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "setup: needs root (or sudo) to install packages" >&2; exit 77; }
  run=(sudo --preserve-env=DEBIAN_FRONTEND,RUNLEVEL)
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1  # packages must not start their services
if ! { "${run[@]}" apt-get update -q && "${run[@]}" apt-get install -y -q --no-install-recommends "${missing[@]}"; } \
  >"$log" 2>&1; then
  tail -n 20 "$log" >&2
  echo "setup: apt-get failed; are these Debian 12's package lists?" >&2
  exit 1
fi
echo "setup: done"
