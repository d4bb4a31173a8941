#!/usr/bin/env bash
# scripts/check-long with programs that are none: a finding, a stop in the middle, going on, and nothing left running.
set -euo pipefail
source_folder=$1
folder=$(mktemp -d "${TMPDIR:-/tmp}/vicket-check-test-XXXXXX")
script=''
clean_up() {
  if [[ -n $script ]]; then kill -TERM "$script" 2>/dev/null || true; fi
  rm -rf "$folder"
}
trap clean_up EXIT

fail() {
  printf 'check_long_test: %s\n' "$1" >&2
  cat "$folder/printed" >&2
  exit 1
}

# wait_for WHAT COMMAND...: until it succeeds.
wait_for() {
  local what=$1 tries
  shift
  for ((tries = 200; tries > 0; --tries)); do
    if "$@" 2>/dev/null; then return 0; fi
    sleep 0.05
  done
  fail "$what does not come to pass"
}

# Whoever was nobody's child any more may wait for init to take note of its end.
gone() { ! grep -qE '^State:[[:space:]]+[^Z]' "/proc/$1/status" 2>/dev/null; }

build=$folder/build
mkdir "$build"
cat >"$build/vicket-sim" <<END
#!/usr/bin/env bash
echo "sim \$*" >>"$folder/calls"
echo "what seed \$2 has to say"
[[ \$2 -ne 3 ]]
END
# The oracle starts a node and hangs; the node does not heed SIGTERM.
cat >"$build/vicketd" <<END
#!/usr/bin/env bash
trap '' TERM
echo \$\$ >"$folder/node"
for i in {1..100}; do sleep 1; done
END
cat >"$build/crash-oracle" <<END
#!/usr/bin/env bash
echo "oracle \$*" >>"$folder/calls"
"$build/vicketd" &
trap 'exit 1' TERM
wait
END
chmod +x "$build"/*

export VICKET_BUILD_DIR=$build VICKET_CHECK_LOG=$folder/state/long.log VICKET_CHECK_STEPS=5 VICKET_CHECK_KILLS=2
log=$VICKET_CHECK_LOG
start() {
  rm -f "$folder/node"
  set -m # else it would be started with SIGINT ignored
  "$source_folder/scripts/check-long" >"$folder/printed" 2>&1 &
  script=$!
  set +m
}
# stop_in_oracle SIGNAL CODE: while the node of a fake oracle runs.
stop_in_oracle() {
  local code=0 node
  wait_for 'the oracle'"'"'s turn' test -s "$folder/node"
  node=$(<"$folder/node")
  kill "-$1" "$script"
  wait_for "the end after SIG$1" gone "$script"
  wait "$script" || code=$?
  script=''
  [[ $code -eq $2 ]] || fail "it ended with $code after SIG$1, not with $2"
  wait_for 'the end of the node' gone "$node"
}

start
stop_in_oracle TERM 1
[[ $(grep -c '^sim' "$folder/calls") -eq 10 ]] || fail "not ten simulations before the oracle"
grep -q '^sim --seed 10 --steps 5 --jobs 2$' "$folder/calls" || fail "the simulations are not called as agreed"
grep -q "^oracle --node $build/vicketd --seed 1 --kills 2" "$folder/calls" || fail "the oracle is not called as agreed"
finding=$(grep FINDING "$log") || fail "the finding is not in the log"
[[ $(wc -l <<<"$finding") -eq 1 ]] || fail "more than one finding"
grep -qE "^[0-9-]+T[0-9:]+Z  [^ ]+  FINDING simulation, exit code 1; repeat: $build/vicket-sim --seed 3 --steps 5 --jobs 2 ;" \
  <<<"$finding" || fail "the finding's line is: $finding"
grep -q 'what seed 3 has to say' "${finding##*output: }" || fail "the finding's output is not kept"

: >"$folder/calls"
start
wait_for 'the second start' grep -q 'seeds from: simulation 11, oracle 1' "$log"
if VICKET_CHECK_LOG=$log "$source_folder/scripts/check-long" >/dev/null 2>&1; then
  fail "two of them write to one log"
fi
stop_in_oracle INT 0
grep -q '^sim --seed 11 ' "$folder/calls" || fail "it does not go on with the seed after the last"
grep -q '^oracle .*--seed 1 ' "$folder/calls" || fail "the oracle that was stopped is not tried again"
! grep -qE -- '--seed (3|10) ' "$folder/calls" || fail "it tries seeds again"
[[ $(find "$folder/state" -name 'long.state*' | wc -l) -eq 2 ]] || fail "more state than agreed"
echo 'check-long finds, stops and goes on'
