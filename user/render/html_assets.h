/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Style and script of HTML reports, and their hashes for the page's Content-Security-Policy.
 * html_assets.c is generated from user/render/web by scripts/web-assets.sh.
 */
#ifndef KMEMTRACE_RENDER_HTML_ASSETS_H
#define KMEMTRACE_RENDER_HTML_ASSETS_H

extern const char html_style[], html_script[];
extern const char html_style_hash[], html_script_hash[]; /* "sha256-…" */

#endif
