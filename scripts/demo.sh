#!/usr/bin/env bash
# Set-up, build, and the main job on Istio's Bookinfo: a release of reviews, step by step, with counts of real pages.
#   scripts/demo.sh             all of it; leaves nothing behind
#   scripts/demo.sh --no-setup  without installing packages
#   scripts/demo.sh --no-build  with what is in build/
#   scripts/demo.sh --keep      leaves Bookinfo and the agent running, and says what to try
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD

setup=yes build=yes keep=no
for argument in "$@"; do
  case "$argument" in
    --no-setup) setup=no ;;
    --no-build) build=no ;;
    --keep) keep=yes ;;
    *)
      echo "usage: scripts/demo.sh [--no-setup] [--no-build] [--keep]" >&2
      exit 64
      ;;
  esac
done

if [ "$(id -u)" -ne 0 ]; then
  echo "demo: needs root: it loads BPF programs and attaches them to a cgroup of its own. Try: sudo scripts/demo.sh" >&2
  exit 77
fi
cgroup_root=$(awk '{ for (i = 7; i < NF; i++) if ($i == "-") { if ($(i + 1) == "cgroup2") { print $5; exit } } }' /proc/self/mountinfo)
if [ -z "$cgroup_root" ]; then
  echo "demo: needs a mounted cgroup2 file system (mount -t cgroup2 none /sys/fs/cgroup)" >&2
  exit 1
fi

[ "$setup" = no ] || scripts/setup.sh
# How far it is: one line that moves on a terminal, a line every 20 s elsewhere.
show_progress() {
  local log=$1 done_of='' shown=0
  while sleep 0.5; do
    done_of=$(grep -o '^\[[0-9]*/[0-9]*\]' "$log" | tail -1 | tr -d '[]' || true)
    if [ -t 1 ]; then
      printf '\rdemo: building %s, %d s\e[K' "$done_of" "$SECONDS"
    elif [ $((SECONDS - shown)) -ge 20 ]; then
      shown=$SECONDS
      echo "demo: building ${done_of:-(cmake)}, $shown s"
    fi
  done
}

if [ "$build" = yes ]; then
  echo "demo: building (some 5 minutes on 2 cores the first time)"
  log=$(mktemp)
  SECONDS=0
  show_progress "$log" &
  progress_pid=$!
  built=yes
  { cmake -S . -B build -G Ninja && ninja -C build weir version_server connect_client http_load; } >"$log" 2>&1 || built=no
  kill "$progress_pid" 2>/dev/null || true
  wait "$progress_pid" 2>/dev/null || true
  [ ! -t 1 ] || printf '\r\e[K'
  if [ "$built" = no ]; then
    tail -40 "$log" >&2
    exit 1
  fi
  echo "demo: built in $SECONDS s"
  rm -f "$log"
fi
weir=$root/build/userspace/cli/weir
tools=$root/build/tests/tools
rules=$root/config/examples/bookinfo/rules

bold='' dim='' good='' bad='' plain=''
if [ -t 1 ] && [ "${TERM:-dumb}" != dumb ] && [ -z "${NO_COLOR:-}" ]; then
  bold=$'\e[1m' dim=$'\e[2m' good=$'\e[32m' bad=$'\e[31m' plain=$'\e[0m'
fi

# ---------------------------------------------------------------- a private place: nothing of the machine's own is touched

folder=$(mktemp -d /tmp/weir-demo.XXXXXX)
cgroup=$cgroup_root/$(basename "$folder")
server_pid='' agent_pid='' load_pid=''

clean_up() {
  set +e
  for pid in $load_pid $agent_pid $server_pid; do
    kill "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null  # a child; with --keep they are nobody's any more
    for _ in $(seq 100); do kill -0 "$pid" 2>/dev/null || break; sleep 0.05; done
  done
  "$weir" uninstall --bpffs "$folder/bpf/weir" --run-dir "$folder/run" >/dev/null 2>&1
  umount "$folder/bpf" 2>/dev/null
  rmdir "$cgroup/clients" "$cgroup" 2>/dev/null
  rm -rf "$folder"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

mkdir "$folder/config" "$folder/run" "$folder/bpf" "$cgroup" "$cgroup/clients"
mount -t bpf bpf "$folder/bpf"
cp config/examples/bookinfo/*.yaml "$folder/config"
cat >"$folder/in-mesh" <<SCRIPT
#!/bin/sh
# Runs a command among the demo's clients: its connections are split.
echo 0 >"$cgroup/clients/cgroup.procs"
exec "\$@"
SCRIPT
cat >"$folder/weir" <<SCRIPT
#!/bin/sh
# The weir command for the demo's agent.
exec "$weir" "\$@" --run-dir "$folder/run" --bpffs "$folder/bpf/weir"
SCRIPT
chmod +x "$folder/in-mesh" "$folder/weir"

# ---------------------------------------------------------------- Bookinfo and the agent

services=10.96.9
"$folder/in-mesh" "$tools/version_server" \
  --bookinfo details-v1@127.1.1.1:9080 --bookinfo ratings-v1@127.1.2.1:9080 --bookinfo reviews-v1@127.1.3.1:9080 \
  --bookinfo reviews-v2@127.1.3.2:9080 --bookinfo reviews-v3@127.1.3.3:9080 --bookinfo productpage-v1@127.1.4.1:9080 \
  --details $services.1:9080 --ratings $services.2:9080 --reviews $services.3:9080 \
  </dev/null >"$folder/servers.log" 2>&1 &
server_pid=$!
"$weir" agent --config "$folder/config" --services all --cgroup "$cgroup" --bpffs "$folder/bpf/weir" --run-dir "$folder/run" \
  --node demo >"$folder/agent.log" 2>&1 &
agent_pid=$!

fail() {
  echo "demo: $1" >&2
  tail -n 20 "$folder/agent.log" "$folder/servers.log" >&2
  exit 1
}

wait_until() {  # what it waits for, then a command
  local what=$1 left=200
  shift
  until "$@"; do
    kill -0 "$agent_pid" 2>/dev/null || fail 'the agent ended'
    left=$((left - 1))
    [ $left -gt 0 ] || fail "waited 10 s in vain: $what"
    sleep 0.05
  done
}

pages() {  # number of pages: "v1 90 v2 10 v3 0 failed 0"
  "$folder/in-mesh" "$tools/connect_client" $services.4:9080 --path /productpage --key x-reviews-version --connections "$1" |
    python3 -c '
import json, sys
seen = json.load(sys.stdin)
got = seen["by_version"]
other = sum(n for v, n in got.items() if v not in ("v1", "v2", "v3"))
print(*(f"{v} {got.get(v, 0)}" for v in ("v1", "v2", "v3")), "failed", seen["failed"] + other)'
}

by_user() {  # number of requests to reviews on one kept-alive connection, every fourth of jason: counts as pages gives
  "$folder/in-mesh" "$tools/http_load" $services.3:9080 --connections 1 --requests "$1" \
    --percent 25 --header 'end-user: jason' --version v2 --special-version v3 |
    python3 -c '
import json, sys
seen = json.load(sys.stdin)
print(*(f"{v} {seen['"'"'by_version'"'"'].get(v, 0)}" for v in ("v1", "v2", "v3")), "failed", seen["failed"])'
}

answered_by() {  # exactly these versions of reviews answer: "v1 v3"
  local seen
  seen=$(pages 60)
  [ "$(echo "$seen" | tr ' ' '\n' | paste - - | awk '$2 > 0 { print $1 }' | paste -sd ' ')" = "$1" ]
}

# ---------------------------------------------------------------- the play

total=400
ask=pages
wrong=0
meanwhile=0
meanwhile_failed=0
mkfifo "$folder/load.stop"

readers_on() {  # reads pages without a pause until readers_off
  "$folder/in-mesh" "$tools/connect_client" $services.4:9080 --path /productpage --key x-reviews-version --until-eof \
    <"$folder/load.stop" >"$folder/load.json" 2>/dev/null &
  load_pid=$!
  exec 3>"$folder/load.stop"
}

readers_off() {
  local seen failed
  exec 3>&-
  wait "$load_pid" || true
  load_pid=''
  read -r seen failed <<<"$(python3 -c '
import json, sys
seen = json.load(open(sys.argv[1]))
print(seen["total"], seen["failed"] + seen["by_version"].get("error", 0))' "$folder/load.json")"
  meanwhile=$((meanwhile + seen))
  meanwhile_failed=$((meanwhile_failed + failed))
}

table_line() {  # what, then of v1 v2 v3: intended percentage, count; uses `done`
  local what=$1 cell i
  printf '%-34s' "$what"
  for i in 0 1 2; do
    cell=$(awk -v w="${intended[$i]}" -v c="${counts[$i]}" -v n="$done" 'BEGIN { printf "%.4g / %.1f", w, 100 * c / n }')
    printf '%15s' "$cell"
  done
}

as_intended() {  # nobody more than 2 pages off; 0 is never
  local i
  for i in 0 1 2; do
    awk -v w="${intended[$i]}" -v c="${counts[$i]}" -v n=$total \
      'BEGIN { d = c - n * w / 100; exit !((d < 0 ? -d : d) < 2.5 && (w > 0 || c == 0)) }' || return 1
  done
}

step() {  # what happens; versions that answer then; intended percentage of v1, v2, v3; commands that bring it about
  local what=$1 versions=$2 failed=0 done=0 v1 v2 v3 lost
  local -a intended=("$3" "$4" "$5") counts=(0 0 0)
  shift 5
  readers_on
  for change in "$@"; do $change; done
  wait_until "$what" answered_by "$versions"
  readers_off
  while [ $done -lt $total ]; do
    read -r _ v1 _ v2 _ v3 _ lost <<<"$($ask 100)"
    counts=($((counts[0] + v1)) $((counts[1] + v2)) $((counts[2] + v3)))
    failed=$((failed + lost))
    done=$((done + 100))
    [ -t 1 ] && printf '\r%s  %s%d pages%s' "$(table_line "$what")" "$dim" "$done" "$plain"
  done
  [ -t 1 ] && printf '\r'
  if [ "$failed" -eq 0 ] && as_intended; then
    printf '%s  %d pages  %sok%s\n' "$(table_line "$what")" $total "$good" "$plain"
  else
    wrong=$((wrong + 1))
    printf '%s  %d pages  %snot as intended, %d failed%s\n' "$(table_line "$what")" $total "$bad" "$failed" "$plain"
  fi
}

apply() { "$folder/weir" apply -f "$rules/$1" >"$folder/apply.log" 2>&1 || { cat "$folder/apply.log" >&2; fail "weir apply -f $1"; }; }
to_v1() { apply destination-rule-all.yaml && apply virtual-service-all-v1.yaml; }
to_v2() { apply reviews-v2.yaml; }
back_to_v1() { apply virtual-service-all-v1.yaml; }
half_and_half() { apply virtual-service-reviews-v2-v3.yaml; }
canary() { apply virtual-service-reviews-90-10.yaml; }
without_v3() { apply reviews-v2-100-v3-0.yaml; }
to_jason() { apply reviews-jason-v3.yaml; }
delete_rules() {
  "$folder/weir" delete -f "$rules/virtual-service-all-v1.yaml" >/dev/null 2>&1
  "$folder/weir" delete -f "$rules/destination-rule-all.yaml" >/dev/null 2>&1
}
ready() { "$folder/weir" status -o json >/dev/null 2>&1 && answered_by 'v1 v2 v3'; }
wait_until 'Bookinfo answers through the services' ready

echo
echo "${bold}Bookinfo: productpage asks the service reviews ($services.3:9080); each page says which version answered.${plain}"
printf '%s%-34s%15s%15s%15s  %s%s\n' "$bold" 'step: intended / observed, in %' v1 v2 v3 'seen on' "$plain"
third=33.333333
step 'no rule: plain balancing' 'v1 v2 v3' $third $third $third
step 'all to v1' 'v1' 100 0 0 to_v1
step 'blue-green: v2 takes over' 'v2' 0 100 0 to_v2
step 'and back' 'v1' 100 0 0 back_to_v1
step 'half v2, half v3' 'v2 v3' 0 50 50 half_and_half
step 'canary: 90 v1, 10 v2' 'v1 v2' 90 10 0 canary
step 'v2 100, v3 0: v3 never' 'v2' 0 100 0 without_v3
explained=$("$folder/weir" explain --to http://reviews:9080/ 2>&1) || true
ask=by_user
step 'jason (25 %) v3, others v2 *' 'v2' 0 75 25 to_jason
ask=pages
step 'rules deleted: plain balancing' 'v1 v2 v3' $third $third $third delete_rules

echo
echo "* by the header end-user, each request for itself: all 100 of a round on one kept-alive connection."
echo "While the rules changed, a reader without a pause saw $meanwhile pages; failed: $meanwhile_failed."
[ "$meanwhile_failed" -eq 0 ] || wrong=$((wrong + 1))
echo
echo "${bold}Why, while v2 had 100 and v3 had 0 (weir explain --to http://reviews:9080/):${plain}"
printf '%s\n' "$explained" | sed 's/^/  /'

echo
if [ "$keep" = yes ]; then
  apply destination-rule-all.yaml
  canary
  trap - EXIT INT TERM
  declare -f clean_up >"$folder/stop.body"
  {
    echo '#!/usr/bin/env bash'
    echo "# Ends the demo and removes every trace of it."
    echo "folder=$folder cgroup=$cgroup weir=$weir load_pid='' agent_pid=$agent_pid server_pid=$server_pid"
    cat "$folder/stop.body"
    echo clean_up
  } >"$folder/stop"
  chmod +x "$folder/stop"
  disown -a
  cat <<TEXT
${bold}Still running, reviews at 90/10.${plain} Try:
  $folder/in-mesh curl -s http://$services.4:9080/productpage      # a page, as one of the clients
  $folder/weir get splits                                  # intended and observed share
  $folder/weir weight reviews v1=50 v2=50                  # change it
  $folder/weir status
  ls $folder/config                                        # the watched folder: edit it, or kubectl-style:
  $folder/weir apply -f config/examples/bookinfo/rules/virtual-service-reviews-v3.yaml
  $folder/stop                                             # end it and remove every trace
TEXT
else
  cat <<TEXT
${bold}Next:${plain} scripts/demo.sh --keep leaves it running to play with; config/examples/ has more to start from;
      build/userspace/cli/weir agent --config DIR follows a folder of your own; scripts/test.sh runs all tests.
TEXT
fi
if [ $wrong -gt 0 ]; then
  echo "demo: $wrong steps were not as intended" >&2
  exit 1
fi
