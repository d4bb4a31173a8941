#!/usr/bin/env bash
# structure_test.sh SOURCES BUILD. Keeps the folders apart: what may be included and called where. Prints every line
# that breaks a rule.
set -euo pipefail
build=$2
cd "$1"

failed=0
folders=(messages policy storage net transport link actors cluster apps)
# rule SENTENCE PATTERN FOLDER…: no source below the folders matches the extended regular expression.
rule() {
  local sentence=$1 pattern=$2 hits
  shift 2
  hits=$(grep -rnE --include='*.hpp' --include='*.cpp' "$pattern" "$@" | grep -v '^actors/system_adapters\.cpp:' || true)
  [[ -z $hits ]] && return
  printf 'broken: %s\n%s\n' "$sentence" "$hits"
  failed=1
}

rule 'time, chance and sleep come from the adapters of a composition root' \
  '(system_clock|steady_clock)::now|random_device|sleep_for|sleep_until|\b(u|nano)?sleep\(' \
  messages policy storage transport actors
rule 'RocksDB is storage'"'"'s alone' '#include *<rocksdb/' messages policy net transport link actors cluster apps
rule 'Boost is net'"'"'s, transport'"'"'s and cluster'"'"'s alone' '#include *<boost/' messages policy storage link apps
rule 'of Boost actors have small vectors alone' '#include *<boost/([^c]|c[^o]|co[^n]|container/[^s])' actors
rule 'libpq is cluster'"'"'s alone' '#include *<libpq' messages policy storage net transport link actors apps
rule 'RE2 is policy'"'"'s alone' '#include *<re2/' messages storage net transport link actors cluster apps
rule 'c-ares is transport'"'"'s alone' '#include *<ares' messages policy storage net link actors apps
rule 'policy, storage, net and transport know no actors' '#include *<caf/' policy storage net transport
rule 'messages depend on nothing of ours' '#include *"(policy|storage|net|transport|link|actors|cluster|apps)/' messages
rule 'policy depends on messages alone' '#include *"(storage|net|transport|link|actors|cluster|apps)/' policy
rule 'storage depends on policy and messages' '#include *"(net|transport|link|actors|cluster|apps)/' storage
rule 'net depends on policy' '#include *"(messages|storage|transport|link|actors|cluster|apps)/' net
rule 'link depends on net, policy and messages' '#include *"(storage|transport|actors|cluster|apps)/' link
rule 'transport depends on net, policy and messages' '#include *"(storage|link|actors|cluster|apps)/' transport
rule 'actors depend on nothing above them' '#include *"(cluster|apps|bench|tests)/' actors
rule 'cluster depends on nothing above it' '#include *"(apps|bench|tests)/' cluster
rule 'product code includes no tests' '#include *"tests/' messages policy storage net transport link actors cluster apps

# A rule that can't find anything keeps nothing: the checks must see what they are to see.
grep -rqE '#include *<rocksdb/' storage && grep -rqE '#include *<boost/' transport && grep -rqE '#include *<caf/' actors ||
  { echo 'the patterns match nothing any more'; failed=1; }

# One that hangs must not hang all.
tests=$(ctest --test-dir "$build" --show-only=json-v1)
[[ $tests == *'"name" : "TIMEOUT"'* &&
  $(grep -c '"name" : "WORKING_DIRECTORY"' <<<"$tests") = $(grep -c '"name" : "TIMEOUT"' <<<"$tests") ]] ||
  { echo 'broken: every test has a TIMEOUT'; failed=1; }

# A test that is in no program says nothing. (Of the fuzzers some are built by another compiler only.)
while read -r source; do
  grep -q "/$source\"" "$build/compile_commands.json" || { echo "broken: every source is built: $source is not"; failed=1; }
done < <(find tests bench "${folders[@]}" -name '*.cpp' -not -path 'tests/fuzz/*')

[[ $failed = 0 ]] && echo 'all folders keep to their place'
exit $failed
