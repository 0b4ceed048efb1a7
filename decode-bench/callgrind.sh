#!/bin/sh
# Instructions of one look at five fixed frames, a line each: "easy 12345678".
# Usage: ./callgrind.sh [PATH OF decode-bench]; without it, it is built first.
set -eu
command -v valgrind >/dev/null || { echo "Install valgrind first: apt-get install valgrind" >&2; exit 1; }
here=$(cd "$(dirname "$0")" && pwd)
bench=${1:-}
if [ -z "$bench" ]; then
    (cd "$here" && cargo build --release --locked >&2)
    bench=${CARGO_TARGET_DIR:-$here/target}/release/decode-bench
fi
frames=$(mktemp -d)
trap 'rm -rf "$frames"' EXIT
"$bench" callgrind-frames "$frames" >&2
for frame in easy medium hard empty unreadable; do
    valgrind --tool=callgrind --callgrind-out-file=/dev/null --toggle-collect='*measured_look*' \
        "$bench" once "$frames/$frame.png" >/dev/null 2>"$frames/log" || { cat "$frames/log" >&2; exit 1; }
    count=$(sed -n 's/.*Collected *: *\([0-9]*\).*/\1/p' "$frames/log")
    [ "${count:-0}" -gt 0 ] || { echo "callgrind counted nothing in $frame" >&2; exit 1; }
    echo "$frame $count"
done
