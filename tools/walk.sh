#!/usr/bin/env bash
# A newcomer's walk: a fresh clone, the README's commands, and the packed tarball under several Node.js versions.
# Usage: tools/walk.sh [report.json]. Exit code 1 if a step failed.
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
report=${1:-/dev/null}
tmp=$(mktemp -d)
tarball=""
passed=0
failed=0

cleanup() {
  # npx keeps what it installed for a tarball; this one will not be asked for again.
  if [ -n "$tarball" ]; then
    local kept
    for kept in "$(npm config get cache)"/_npx/*/package.json; do
      if grep -qsF "$(basename "$tmp")" "$kept"; then rm -rf "$(dirname "$kept")"; fi
    done
  fi
  rm -rf "$tmp"
}
trap cleanup EXIT

# step <what> <folder> <command…>: one step of the walk; what it prints is shown when it fails.
step() {
  local what=$1 folder=$2 started=$SECONDS status
  shift 2
  (cd "$folder" && timeout --kill-after=10 400 "$@") </dev/null >"$tmp/said" 2>&1
  status=$?
  if [ "$status" -eq 0 ]; then
    passed=$((passed + 1))
    echo "ok   $what ($((SECONDS - started)) s)"
  else
    failed=$((failed + 1))
    echo "FAIL $what: exit code $status"
    tail -n 40 "$tmp/said" | sed 's/^/     /'
  fi
  return "$status"
}

finish() {
  echo "{\"numPassedTests\":$passed,\"numFailedTests\":$failed}" >"$report"
  echo "walk: $passed steps passed, $failed failed"
  [ "$failed" -eq 0 ]
  exit
}

# node_of <version>: the folder of that Node.js, from the npm registry; the package for this platform needs no install script.
node_of() {
  local name home="$tmp/node-$1"
  name="node-$(node -p 'process.platform + "-" + process.arch')"
  mkdir -p "$home"
  npm install --silent --no-save --prefix "$home" "$name@$1" </dev/null >"$tmp/node-$1.log" 2>&1 || return 1
  echo "$home/node_modules/$name/bin"
}

# packed <path to node's folder> <arguments…>: the tarball's command by npx, under that Node.js.
packed() {
  local bin=$1
  shift
  PATH="$bin:$PATH" npx --yes --package "$tarball" ipdm-runtime "$@"
}

# new_project <path to node's folder>: what somebody does first in an empty folder.
new_project() {
  packed "$1" init starter && cd starter && packed "$1" run ipdm.yaml && packed "$1" verify "$(find . -name receipt.car | head -n 1)"
}

# says_what_to_type <path to node's folder>: an old Node.js is refused in one sentence, with a command to copy.
says_what_to_type() {
  local said
  said=$(PATH="$1:$PATH" npx --yes --package "$tarball" ipdm-runtime --version 2>&1 >/dev/null) && { echo "it did not fail"; return 1; }
  said=$(grep -v '^npm ' <<<"$said")
  echo "$said"
  [ "$(wc -l <<<"$said")" -eq 1 ] && grep -q 'needs Node.js .* or newer.*type: npx ' <<<"$said"
}
export -f packed new_project says_what_to_type

clone="$tmp/clone"
step "git clone" "$tmp" git -c safe.directory='*' clone --quiet "$root" "$clone" || finish
step "npm ci" "$clone" npm ci || finish
step "run the flights example" "$clone" npx ipdm-runtime run examples/flights/ipdm.yaml
step "verify its receipt" "$clone" npx ipdm-runtime verify out/flights/receipt.car
step "replay its receipt" "$clone" npx ipdm-runtime replay out/flights/receipt.car
step "npm pack" "$clone" npm pack --ignore-scripts --pack-destination "$tmp" || finish
tarball=$(find "$tmp" -maxdepth 1 -name '*.tgz')
export tarball

for version in 24 22.12.0; do
  if ! bin=$(node_of "$version"); then
    failed=$((failed + 1))
    echo "FAIL Node.js $version did not come from the registry"
    continue
  fi
  mkdir -p "$tmp/empty-$version"
  step "the tarball's --version under Node.js $version" "$tmp/empty-$version" bash -c 'packed "$1" --version' _ "$bin"
  step "init, run and verify under Node.js $version" "$tmp/empty-$version" bash -c 'new_project "$1"' _ "$bin"
done

old=$(dirname "$(command -v node)")
if [ "$(node -p 'process.versions.node.split(".")[0] < 22')" != true ]; then old=$(node_of 20); fi
mkdir -p "$tmp/empty-old"
step "Node.js $("$old/node" --version) says what to type" "$tmp/empty-old" bash -c 'says_what_to_type "$1"' _ "$old"
finish
