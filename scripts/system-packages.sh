#!/usr/bin/env bash
# Installs the system packages the build and the window need, if they are missing.
# On a terminal it asks first; YES=1, or no terminal, just does it. Further packages can be named as arguments.
set -euo pipefail

packages=(
  gcc libc6-dev pkg-config                       # SQLite and the TLS library are compiled from C
  libclang-dev                                   # camera headers are read by bindgen
  libasound2-dev                                 # sound
  libfontconfig-dev libxkbcommon-dev libinput-dev libudev-dev   # the screen: fonts, keys, touch
  libxcursor1 libxi6 libxrandr2 libx11-xcb1 libxkbcommon-x11-0  # the screen in a window
  "$@"
)

if ! command -v cargo >/dev/null; then
  echo "Rust is missing: install it from your distribution's rustup package or https://rustup.rs, then try again." >&2
  exit 1
fi
if ! command -v dpkg-query >/dev/null; then
  echo "This is not Debian, Ubuntu or Raspberry Pi OS. If the build fails, install what these packages hold: ${packages[*]}" >&2
  exit 0
fi

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

echo "Missing system packages: ${missing[*]}"
if [ -t 0 ] && [ "${YES:-}" != 1 ]; then
  read -r -p "Install them with apt-get? [Y/n] " answer
  case "$answer" in [nN]*) echo "Not installed; the build may fail." >&2; exit 0 ;; esac
fi
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "Run as root: apt-get install ${missing[*]}" >&2; exit 1; }
  as_root=(sudo)
fi
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends --no-remove "${missing[@]}"
