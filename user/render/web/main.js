// SPDX-License-Identifier: MIT
/*! kmemtrace's report: MIT licence. It contains d3-hierarchy, d3-shape and d3-path, (c) Mike Bostock, ISC licence. */
// Adds pictures, sorting and search to a page whose facts are already there as text and tables.
import { data } from "./data.js";
import { chart, html } from "./dom.js";
import { icicle } from "./icicle.js";
import { poolsChart } from "./pools.js";
import { cachesTable, poolsTable, sortStatic } from "./tables.js";
import { holdersChart } from "./treemap.js";

// A part that fails leaves its table as it is, and the others work.
function part(id, draw) {
	const element = document.getElementById(id);

	if (!element)
		return;
	try {
		draw(element);
	} catch (error) {
		element.classList.add("failed");
		console.error(error);
	}
}

function contents() {
	const sections = [...document.querySelectorAll("main section[id]")].filter((section) => section.querySelector("h2"));

	document.querySelector(".bar").append(html("nav", { "aria-label": "Sections" },
		...sections.map((section) => html("a", { href: `#${section.id}` }, section.querySelector("h2").textContent))));
}

document.documentElement.classList.add("scripted");
contents();
addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((d) => { d.open = true; }));
part("chart-pools", () => poolsChart(chart("chart-pools")));
part("chart-paths", () => icicle(chart("chart-paths")));
part("chart-holders", () => holdersChart(chart("chart-holders")));
if (data.kind === "report")
	part("table-pools", poolsTable);
part("table-caches", (table) => cachesTable(table, chart("chart-cache")));
for (const table of document.querySelectorAll("table:not(#table-caches, #table-pools)"))
	sortStatic(table);
