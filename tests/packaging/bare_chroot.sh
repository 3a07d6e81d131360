#!/usr/bin/env bash
# Installs Debian's packages of this tree in a bare Debian, by its own apt, and builds and runs programs there that
# use them. By hand, as root: some 700 MB are downloaded.
#   bash tests/packaging/bare_chroot.sh [suite]      bookworm by itself
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/setup.sh"
source "$(dirname "${BASH_SOURCE[0]}")/bare_system.sh"
suite=${1:-bookworm}
work=$weft_root/build/bare_chroot
system=$work/$suite

weft_require debhelper lintian pkg-config
rm -rf "$work/packages" "$system"
bash "$weft_root/scripts/debian_package.sh" "$work/packages"
weft_bare_system "$system" "$suite" || weft_fail "there is no bare Debian $suite"
mkdir -p "$system/weft/tests" "$system/weft/debian"
cp "$work/packages"/*.deb "$system/weft"
cp -r "$weft_root/tests/consumer" "$system/weft/tests"
cp -r "$weft_root/packaging/debian/tests" "$system/weft/debian"
weft_in "$system" apt-get -q -y update
# With what they recommend, as apt does by itself.
weft_in "$system" sh -c 'apt-get -q -y install /weft/*.deb cmake pkg-config'
weft_in "$system" sh -c 'cd /weft && sh debian/tests/consumer'
rm -rf "$system"
