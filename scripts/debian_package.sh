#!/usr/bin/env bash
# Makes Debian's packages libweft-dev and libweft-kernels-dev of this tree, in a copy, and looks at them: lintian
# finds nothing, and programs are built against what is in them (packaging/debian/tests/consumer). Installs nothing.
#   bash scripts/debian_package.sh [folder]    the packages go there, build/debian by itself
# Needs build-essential, debhelper and lintian. Status 77: one of them is missing.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"
output=$(realpath -m "${1:-$weft_root/build/debian}")
for tool in dpkg-buildpackage dh lintian; do
    command -v "$tool" >/dev/null || { weft_say "there is no $tool" && exit 77; }
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/weft"
tar -C "$weft_root" --exclude='./build*' --exclude=./.git --exclude=./out -cf - . | tar -C "$work/weft" -xf -
cp -r "$weft_root/packaging/debian" "$work/weft/debian"
cd "$work/weft"
# -d: what CMake and Eigen come from is CMake's affair.
dpkg-buildpackage -us -uc -b -d >"$work/build.log" 2>&1 || { cat "$work/build.log" && exit 1; }
lintian --allow-root --fail-on error,warning --tag-display-limit 0 "$work"/*.changes

# No file is in two packages, which dpkg would refuse.
for package in "$work"/*.deb; do dpkg-deb --fsys-tarfile "$package" | tar -t | grep -v '/$'; done | sort | uniq -d |
    { ! grep .; }
for package in "$work"/*.deb; do dpkg-deb -x "$package" "$work/installed"; done
WEFT_PREFIX=$work/installed/usr AUTOPKGTEST_TMP=$work sh debian/tests/consumer
mkdir -p "$output"
cp "$work"/*.deb "$output"
weft_say "made $(echo "$output"/*.deb)"
