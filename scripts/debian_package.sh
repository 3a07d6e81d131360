#!/usr/bin/env bash
# Makes Debian's source package of this tree, in a copy, and of it libweft-dev and libweft-kernels-dev; and looks
# at them: lintian finds nothing in sources and packages, the source unpacks, and with it programs are built against
# what is in the packages (packaging/debian/tests/consumer). Installs nothing.
#   bash scripts/debian_package.sh [folder]    sources and packages go there, build/debian by itself
# Needs build-essential, debhelper, lintian and what packaging/debian/control builds with. Status 77: one is missing.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"
output=$(realpath -m "${1:-$weft_root/build/debian}")
for tool in dpkg-buildpackage dh lintian; do
    command -v "$tool" >/dev/null || { weft_say "there is no $tool" && exit 77; }
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
version=$(sed -n '1s/.*(\(.*\)-.*/\1/p' "$weft_root/packaging/debian/changelog")
date=$(cd "$weft_root/packaging" && dpkg-parsechangelog -S Date)
# The tree is what Debian calls the original; the same tree gives the same bytes.
tar -C "$weft_root" --exclude='./build*' --exclude=./.git --exclude=./.cache --exclude=./out --exclude=./a.out --exclude=__pycache__ \
    --sort=name --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX --mtime="$date" --transform="s,^\.,weft-$version," \
    -cJf "$work/weft_$version.orig.tar.xz" .
tar -C "$work" -xf "$work/weft_$version.orig.tar.xz"
cd "$work/weft-$version"
cp -r packaging/debian debian

# A CMake that is not of Debian's, from PyPI for instance, is unknown to dpkg: -d builds with it.
unmet=$(dpkg-checkbuilddeps 2>&1) || unmet=$(sed 's/.*: //; s/ ([^)]*)//g' <<<"$unmet")
options=()
if [[ $unmet == cmake ]] && command -v cmake >/dev/null; then
    options=(-d)
elif [[ -n $unmet ]]; then
    weft_say "not installed: $unmet" && exit 77
fi
dpkg-buildpackage -us -uc -F ${options[@]+"${options[@]}"} >"$work/build.log" 2>&1 || { cat "$work/build.log" && exit 1; }
# Of the sources, of the packages, and of the upload with both.
lintian --allow-root --fail-on error,warning --tag-display-limit 0 "$work"/*.dsc "$work"/*.changes

# No file is in two packages, which dpkg would refuse.
for package in "$work"/*.deb; do dpkg-deb --fsys-tarfile "$package" | tar -t | grep -v '/$'; done | sort | uniq -d |
    { ! grep .; }
for package in "$work"/*.deb; do dpkg-deb -x "$package" "$work/installed"; done
dpkg-source --no-check -x "$work"/*.dsc "$work/unpacked" >/dev/null
cd "$work/unpacked"
mkdir "$work/tests"
WEFT_PREFIX=$work/installed/usr AUTOPKGTEST_TMP=$work/tests sh debian/tests/consumer
mkdir -p "$output"
cd "$work"
cp ./*.deb ./*.dsc ./*.tar.xz "$output"
weft_say "made in $output: $(echo *.deb *.dsc *.tar.xz)"
