#!/usr/bin/env bash
# [VERSION=...] deb.sh [PROFILE]: the Debian package of the program that pi.sh has built.
set -euo pipefail
cd "$(dirname "$0")/.."

profile=${1:-release}
mkdir -p target/deb
# The gate of an appliance: the same configuration, with the instance's data folder, the bare screen, and the stick.
sed 's|^data_dir = .*|data_dir = "/var/lib/tongguan/gate"|; s|^screen = .*|screen = "linuxkms"|; s|^stick = .*|stick = "/run/tongguan/stick"|' \
  tongguan.example.toml >target/deb/gate.toml
deb=$(cargo deb --quiet --no-build --package tongguan --target aarch64-unknown-linux-gnu --profile "$profile" --strip --no-dbgsym \
  ${VERSION:+--deb-version "$VERSION"} --output target/deb/)
echo "$deb: $(stat -c %s "$deb") bytes"
dpkg-deb --field "$deb" Version Installed-Size Depends | sed 's/^/  /'
