#!/bin/sh
# From an empty folder to a host that calls a plugin, with the plugingen of this checkout.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

run() {
	printf '\n$ %s\n' "$*"
	"$@"
}

cd "$root"
run go build -o "$work/bin/plugingen" ./cmd/plugingen
PATH="$work/bin:$PATH"

cd "$work"
run plugingen new myplugin
run plugingen host myhost
run go build -C myplugin -o ../plugins/ .
run go build -C myhost -o ../bin/ .

run myhost --plugins plugins list
run myhost --plugins plugins call greet Ada
