#!/usr/bin/env bash
# pi.sh [PROFILE]: builds the checkpoint for a 64-bit Raspberry Pi OS (Debian 12 or later) with the libraries of target/sysroot,
# and says what the program needs there. PROFILE is cargo's: release, or dev for the emulated Pi.
set -euo pipefail
cd "$(dirname "$0")/.."

target=aarch64-unknown-linux-gnu
profile=${1:-release}
root=$PWD/target/sysroot
libraries=$root/usr/lib/aarch64-linux-gnu

sysroot/unpack.sh "$root" libc6-dev libinput-dev libxkbcommon-dev libudev-dev libfontconfig-dev libasound2-dev
[ -d "$(rustc --print sysroot)/lib/rustlib/$target" ] || rustup target add $target

export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUSTFLAGS="-Clink-arg=--sysroot=$root -Clink-arg=-Wl,-rpath-link=$libraries"
export CC_aarch64_unknown_linux_gnu=aarch64-linux-gnu-gcc
export CFLAGS_aarch64_unknown_linux_gnu=--sysroot=$root
export PKG_CONFIG_ALLOW_CROSS=1
export PKG_CONFIG_SYSROOT_DIR=$root
export PKG_CONFIG_LIBDIR=$libraries/pkgconfig:$root/usr/share/pkgconfig
export BINDGEN_EXTRA_CLANG_ARGS_aarch64_unknown_linux_gnu="--target=aarch64-linux-gnu --sysroot=$root"
# Everything but the window: an appliance has no desktop.
features=$(sed -n 's/^default = \[\(.*\)\]$/\1/p' Cargo.toml | tr -d '" ' | tr ',' '\n' | grep -vx window | paste -sd,)
${CARGO:-cargo} build --locked --package tongguan --bin tongguan --profile "$profile" --target $target \
  --no-default-features --features "$features" ${JOBS:+--jobs "$JOBS"}

program=target/$target/${profile/#dev/debug}/tongguan
echo "$program ($features): $(stat -c %s "$program") bytes"
aarch64-linux-gnu-readelf -d "$program" | sed -n 's/.*NEEDED.*\[\(.*\)\]/  needs \1/p'
echo "  needs $(aarch64-linux-gnu-readelf -V "$program" | grep -o 'GLIBC_[0-9.]*' | sort -uV | tail -1)"
