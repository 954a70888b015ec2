#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Opens HTML reports in Chromium, as a reader does: see pages.mjs. TESTS=WORD runs only the tests with that word in the name.
set -euo pipefail
cd "$(dirname "$0")/../.."

WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
NODE_PATH=$(scripts/web-assets.sh --modules)
CHROMIUM=$(command -v chromium)
export NODE_PATH CHROMIUM
python3 tests/web/captures.py "$WORK"
node tests/web/pages.mjs "${KMEMTRACE:-$PWD/build/kmemtrace}" "$WORK"
