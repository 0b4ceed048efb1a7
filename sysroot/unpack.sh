#!/usr/bin/env bash
# unpack.sh FOLDER PACKAGE...: unpacks Debian's arm64 packages and all they need into a folder, as root or not, without
# touching what is installed here. They come from where this machine gets its own packages. Twice does nothing new.
set -euo pipefail

root=$1
shift
stamp=$root/.packages
[ "$(cat "$stamp" 2>/dev/null)" = "$*" ] && exit 0

mkdir -p "$root"
root=$(cd "$root" && pwd)
own=$root.apt
rm -rf "$root"
# /bin, /lib and /sbin are links, as on every Debian now.
mkdir -p "$root"/usr/{bin,lib,sbin} "$own"/{lists,archives}/partial
for name in bin lib sbin; do ln -s usr/$name "$root/$name"; done
: >"$own/status"

# An apt that knows of nothing installed. Its downloads stay in FOLDER.apt and are not fetched twice.
own_apt() {
  apt-get -qq -o APT::Architecture=arm64 -o APT::Architectures::=arm64 -o APT::Install-Recommends=false -o Debug::NoLocking=true \
    -o APT::Sandbox::User="$(id -un)" -o Dir::State="$own" -o Dir::State::status="$own/status" -o Dir::Cache="$own" "$@"
}
own_apt update
own_apt install --yes --download-only "$@" || {
  echo "The package sources of this machine have no arm64 packages of these names: $*" >&2
  exit 1
}
for package in "$own"/archives/*.deb; do
  dpkg-deb --fsys-tarfile "$package" | tar -x -C "$root" --keep-directory-symlink --no-same-owner
done
# What links to /... must stay inside.
find "$root" -type l -lname '/*' -print0 | while IFS= read -r -d '' link; do
  ln -srfT "$root$(readlink "$link")" "$link"
done
echo "$*" >"$stamp"
echo "$root: $(find "$own/archives" -name '*.deb' | wc -l) packages, $(du -sh "$own/archives" | cut -f1) down, $(du -sh "$root" | cut -f1) unpacked"
