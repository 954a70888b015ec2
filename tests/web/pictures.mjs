// SPDX-License-Identifier: GPL-2.0-only
// node pictures.mjs DIR OUT: pictures of the pages in DIR for docs/gallery.md. scripts/gallery.sh runs it.
import { createRequire } from "node:module";
import { join } from "node:path";

const [, , dir, out] = process.argv;
const { chromium } = createRequire(join(process.env.NODE_PATH, "package.json"))("playwright-core");
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args: ["--no-sandbox"] });

async function picture(name, page, options, act) {
	const context = await browser.newContext({ viewport: { width: 1200, height: 860 }, ...options });
	const tab = await context.newPage();

	await tab.goto(`file://${join(dir, `${page}.html`)}`);
	const clip = await act(tab);
	await tab.waitForFunction(() => !Number(document.documentElement.dataset.waiting));
	await tab.screenshot({ path: join(out, `${name}.png`), ...clip });
	await context.close();
	console.log(`${name}.png`);
}

// Scroll to a section, below the bar.
async function to(tab, section) {
	await tab.evaluate((id) => {
		document.documentElement.style.scrollBehavior = "auto";
		document.getElementById(id).scrollIntoView();
	}, section);
}

await picture("report", "report", { viewport: { width: 1200, height: 1250 } }, () => ({}));
await picture("range", "report", {}, async (tab) => {
	await to(tab, "pools");
	const box = await tab.locator("#chart-pools .over").boundingBox();

	await tab.mouse.move(box.x + box.width * .28, box.y + 80);
	await tab.mouse.down();
	await tab.mouse.move(box.x + box.width * .4, box.y + 90, { steps: 4 });
	await tab.mouse.move(box.x + box.width * .62, box.y + 90, { steps: 4 });
	await tab.mouse.up();
	return {};
});
await picture("paths", "report", {}, async (tab) => {
	await to(tab, "paths");
	await tab.getByLabel("Search", { exact: true }).fill("sock");
	return {};
});
await picture("dark", "report", { colorScheme: "dark" }, async (tab) => {
	await to(tab, "paths");
	await tab.getByLabel("Paths from").selectOption("site");
	return {};
});
await picture("caches", "report", {}, async (tab) => {
	await to(tab, "caches");
	await tab.getByRole("button", { name: "UDP", exact: true }).click();
	await to(tab, "caches");
	return {};
});
await picture("holders", "report", { viewport: { width: 1200, height: 560 } }, async (tab) => {
	await to(tab, "holders");
	return {};
});
await picture("diff", "diff", {}, async (tab) => {
	await to(tab, "paths");
	return {};
});
await picture("phone", "report", { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2 }, () => ({}));
await browser.close();
