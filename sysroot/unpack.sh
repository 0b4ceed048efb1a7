#!/usr/bin/env bash
# [ARCH=arm64] [SUITE=...] unpack.sh FOLDER PACKAGE...: unpacks Debian packages and all they need into a folder, without touching
# what is installed here, and without root. They come from where this machine gets its own packages; SUITE adds another suite
# from there, such as bookworm-backports, and prefers it. Twice does nothing new.
set -euo pipefail

arch=${ARCH:-arm64} suite=${SUITE:-}
root=$1
shift
stamp="$arch $suite $*"
[ "$(cat "$root/.packages" 2>/dev/null)" = "$stamp" ] && exit 0

rm -rf "$root"
# /bin, /lib and /sbin are links, as on every Debian now.
mkdir -p "$root"/usr/{bin,lib,lib64,sbin}
root=$(cd "$root" && pwd)
for name in bin lib lib64 sbin; do ln -s usr/$name "$root/$name"; done
own=$root.apt
rm -rf "$own/sources"
mkdir -p "$own"/{lists,archives}/partial "$own/sources"
: >"$own/status"
find /etc/apt/sources.list.d -name '*.list' -o -name '*.sources' | xargs -r cp -t "$own/sources"

# An apt that knows of nothing installed. Its downloads stay in FOLDER.apt and are not fetched twice.
own_apt() {
  apt-get -qq -o APT::Architecture="$arch" -o APT::Architectures::="$arch" -o APT::Install-Recommends=false \
    -o APT::Sandbox::User="$(id -un)" -o Debug::NoLocking=true -o Dir::Etc::sourceparts="$own/sources" \
    -o Dir::State="$own" -o Dir::State::status="$own/status" -o Dir::Cache="$own" "$@"
}
own_apt update
if [ -n "$suite" ]; then
  mirror=$(own_apt indextargets --format '$(REPO_URI)' "Codename: ${suite%%-*}" "Component: main" | sort -u | head -1)
  echo "deb $mirror $suite main" >"$own/sources/suite.list"
  own_apt update
fi
own_apt install --yes --download-only ${suite:+--target-release "$suite"} "$@" || {
  echo "the package sources of this machine do not have these packages for $arch: $*" >&2
  exit 1
}
for package in "$own"/archives/*.deb; do
  dpkg-deb --fsys-tarfile "$package" | tar -x -C "$root" --keep-directory-symlink --no-same-owner
done
# What links to /... must stay inside.
find "$root" -type l -lname '/*' -print0 | while IFS= read -r -d '' link; do
  ln -srfT "$root$(readlink "$link")" "$link"
done
echo "$stamp" >"$root/.packages"
echo "$root: $(find "$own/archives" -name '*.deb' | wc -l) packages, $(du -sh "$own/archives" | cut -f1) down," \
  "$(du -sh "$root" | cut -f1) unpacked"
