#!/usr/bin/env bash
# Copies the examples into the code blocks of README.md and docs/ that name them:
#   <!-- from examples/quickstart.cpp -->  before a ```cpp block. tests/docs_test.cpp checks them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
for page in README.md docs/*.md; do
    awk '
        /^<!-- from .* -->$/ { source = $3 }
        skipping && /^```$/ { skipping = 0 }
        !skipping { print }
        source != "" && /^```(cpp|cmake)$/ {
            while ((getline line < source) > 0) print line
            source = ""; skipping = 1
        }
    ' "$page" >"$page.part"
    if cmp -s "$page" "$page.part"; then rm "$page.part"; else mv "$page.part" "$page"; fi
done
