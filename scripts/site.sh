#!/usr/bin/env bash
# Makes weft's site in build/site: the guides as pages (scripts/site.py), and the API reference with its
# search (Doxygen). A warning of Doxygen's, a class or an option without a sentence (docs/site/warnings.awk
# says what needs none), and a link that leads nowhere, are errors.
#   bash scripts/site.sh [folder]
# Status 69: Doxygen, or Python's package markdown, cannot be had.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"
cd "$weft_root"
site=$(realpath -m "${1:-build/site}")

command -v doxygen >/dev/null || { weft_has_apt && weft_apt_install doxygen; } ||
    { weft_say "there is no Doxygen" && exit 69; }
python=python3
if ! python3 -c 'import markdown' 2>/dev/null; then
    python=$weft_root/build/tools/bin/python
    [[ -x $python ]] || python3 -m venv build/tools
    "$python" -c 'import markdown' 2>/dev/null || "$python" -m pip install -q markdown ||
        { weft_say "Python's package markdown cannot be had" && exit 69; }
fi

rm -rf "$site"
mkdir -p "$site"
{ cat docs/site/Doxyfile && echo "OUTPUT_DIRECTORY=\"$site\"" && echo HTML_OUTPUT=api && echo "GENERATE_TAGFILE=\"$site/api.tag\"" &&
    echo "WARN_LOGFILE=\"$site/warnings.log\"" &&
    echo "PROJECT_NUMBER=$(sed -n 's/#define WEFT_VERSION "\(.*\)"/\1/p' include/weft/version.hpp)"; } | doxygen -
warnings=$(awk -f docs/site/warnings.awk "$site/warnings.log" | sort -u)
[[ -z $warnings ]] || { echo "$warnings" >&2 && weft_fail "Doxygen warns, or a class or an option has no sentence"; }
rm "$site/warnings.log"
bash scripts/single_header.sh "$site/weft.hpp" # for Compiler Explorer, which the page of the first program links to
"$python" scripts/site.py "$weft_root" "$site"
rm "$site/api.tag"
weft_say "made $site/index.html"
