#!/usr/bin/env bash
# Other releases of Node for the tests, each from the npm registry (the packages that `npx node@22` takes it from).
#
#   scripts/nodes.sh            gets the newest of Node 22, 24 and 26, without the one that the host has; keeps what is there
#   scripts/nodes.sh list       prints which these are
#   scripts/nodes.sh path 24    prints the directory that is to come first in PATH; fails when it is not there
#
# They lie in BEAMPEER_CHROOTS (/var/cache/beampeer), outside the checkout, and are complete when they hold a file `.ok`.
set -euo pipefail

root=${BEAMPEER_CHROOTS:-/var/cache/beampeer}

list() {
  local host
  host=$(node -p 'process.versions.node.split(".")[0]')
  for release in 22 24 26; do
    if [ "$release" != "$host" ]; then echo "$release"; fi
  done
}

package() { node -p '`node-${process.platform}-${process.arch}`'; }

install() {
  local directory=$root/node-$1 name
  name=$(package)
  if [ ! -e "$directory/.ok" ]; then
    rm -rf "$directory" && mkdir -p "$directory"
    npm install --silent --no-audit --no-fund --no-save --prefix "$directory" "$name@$1"
    touch "$directory/.ok"
  fi
  echo "Node $1: $("$directory/node_modules/$name/bin/node" --version) in $directory"
}

case ${1:-all} in
  all) for release in $(list); do install "$release"; done ;;
  list) list ;;
  path)
    directory=$root/node-$2/node_modules/$(package)/bin
    [ -x "$directory/node" ] || { echo "nodes.sh: Node $2 is not in $root" >&2 && exit 1; }
    echo "$directory"
    ;;
  *) echo "usage: scripts/nodes.sh [list | path RELEASE]" >&2 && exit 2 ;;
esac
