#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# gallery.sh [KMEMTRACE]: make the pictures of docs/gallery.md from the stored capture of tests/fixtures/web, in Chromium.
# It needs what `scripts/deps.sh web` installs.
set -euo pipefail
cd "$(dirname "$0")/.."

case ${1:-} in -h | --help) sed -n '3,4s/^# //p' scripts/gallery.sh && exit ;; esac
kmemtrace=${1:-build/kmemtrace}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
NODE_PATH=$(scripts/web-assets.sh --modules)
export NODE_PATH
gunzip -c tests/fixtures/web/incident.kmt.gz >"$work/incident.kmt"
"$kmemtrace" report --format html -o "$work/report.html" "$work/incident.kmt"
# the minute's later part, compared with its first part
"$kmemtrace" diff --format html --base-to 18 --from 18 -o "$work/diff.html" "$work/incident.kmt" "$work/incident.kmt"
mkdir -p docs/pictures
node tests/web/pictures.mjs "$work" docs/pictures
