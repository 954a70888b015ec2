// SPDX-License-Identifier: MIT
// node build.mjs: bundle the script and the style of HTML reports, and print them as C, with their hashes for the
// page's Content-Security-Policy. scripts/web-assets.sh runs it.
import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const modules = process.env.NODE_PATH;
const { build } = createRequire(join(modules, "package.json"))("esbuild");

async function bundle(file, format) {
	const result = await build({
		entryPoints: [join(here, file)], bundle: true, minify: true, write: false, format, charset: "ascii",
		target: ["es2022", "chrome111", "firefox113", "safari16.4"], legalComments: "inline", nodePaths: [modules], logLevel: "error",
	});
	const text = result.outputFiles[0].text.trimEnd();

	// the parser of HTML must find the end of the element where we put it
	if (/<\/(script|style)|<!--/i.test(text))
		throw new Error(`${file}: the bundle contains markup that ends its element`);
	return text;
}

function literal(text) {
	const lines = [];

	// pieces that do not end within an escape
	for (const piece of text.match(/[\s\S]{1,90}/g))
		lines.push(`\t"${piece.replace(/[\\"]/g, "\\$&").replace(/\n/g, "\\n").replace(/\t/g, "\\t").replace(/\?\?/g, "?\\?")}"`);
	return lines.join("\n");
}

function hash(text) {
	return `sha256-${createHash("sha256").update(text).digest("base64")}`;
}

const script = await bundle("main.js", "iife"), style = await bundle("style.css");

process.stdout.write(`// SPDX-License-Identifier: MIT AND ISC
/* Generated from user/render/web by scripts/web-assets.sh: do not edit. See html_assets.h. */
// clang-format off
#include "render/html_assets.h"

const char html_style_hash[] = "${hash(style)}";
const char html_script_hash[] = "${hash(script)}";

const char html_style[] =
${literal(style)};

const char html_script[] =
${literal(script)};
`);
