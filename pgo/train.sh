#!/bin/sh
# Counts what the programs in `pgo/programs` make Taipan do, and writes the counts to `pgo/taipan.profdata`, with which
# the `release` profile is compiled (pgo/rustc). Needs `rustup component add llvm-tools`. Two builds' time.
set -eu
cd "$(dirname "$0")/.."
work=${CARGO_TARGET_DIR:-target}/training
mkdir -p "$work"
work=$(cd "$work" && pwd)
counts=$work/counts
merge=$(rustc --print target-libdir)/../bin/llvm-profdata
[ -x "$merge" ] || { echo "no llvm-profdata: rustup component add llvm-tools" >&2; exit 1; }

TAIPAN_PROFILE=generate=$counts CARGO_TARGET_DIR=$work cargo build --release
rm -rf "$counts"
for program in objects numbers_ containers text control front_end; do
    # One pool of counts for all processes.
    LLVM_PROFILE_FILE="$counts/%m.profraw" "$work/release/taipan" "pgo/programs/$program.py"
done
"$merge" merge --sparse -o pgo/taipan.profdata "$counts"/*.profraw
ls -l pgo/taipan.profdata
