// SPDX-License-Identifier: MIT
// Cgroups and their processes: held memory that was traced, or kernel stacks and page tables. Area is bytes.
import { hierarchy, treemap, treemapSquarify } from "d3-hierarchy";
import { changeIn, data, isWhole, onRange, rows, series, text } from "./data.js";
import { drawn, html, rem, svg, whenDone } from "./dom.js";
import { bytes, share } from "./units.js";

const COLOURS = ["--c0", "--c1", "--c2", "--c3", "--c4", "--c5", "--c7", "--c6"];

function heldRows() {
	const table = data.processes, all = rows(table);

	all.forEach((row, i) => {
		const values = series(table.series[i], table.times.length);

		row.value = () => isWhole() ? row.bytes : changeIn(table.times, values, data.start_s === 0) || 0;
		row.who = row.pid === null ? "unknown" : `${row.comm}[${row.pid}]`;
	});
	for (const [pool, , groups, sum, coded] of table.rest) {
		const values = series(coded, table.times.length);

		all.push({ cgroup: "", pool: text(pool), who: `${groups} smaller ones`,
			value: () => isWhole() ? sum : changeIn(table.times, values, data.start_s === 0) || 0 });
	}
	const gone = series(table.gone, table.times.length);
	all.push({ cgroup: "", who: "freed by the end of the recording", value: () => isWhole() ? 0 : changeIn(table.times, gone, data.start_s === 0) || 0 });
	return all;
}

function levelRows() {
	const all = rows(data.levels);

	for (const row of all) {
		row.value = () => 1024 * ((row.end_stack_kb || 0) + (row.end_page_tables_kb || 0));
		row.who = `${row.comm}[${row.pid}]`;
	}
	if (data.levels.rest[0])
		all.push({ cgroup: "", who: `${data.levels.rest[0]} smaller ones`, value: () => 1024 * (data.levels.rest[1] + data.levels.rest[2]) });
	return all;
}

// cgroup → process, all pools of a process together.
function treeOf(all) {
	const cgroups = new Map();

	for (const row of all) {
		const value = row.value(), cgroup = row.cgroup || "unknown cgroup";

		if (!(value > 0))
			continue;
		if (!cgroups.has(cgroup))
			cgroups.set(cgroup, new Map());
		const processes = cgroups.get(cgroup);
		processes.set(row.who, (processes.get(row.who) || 0) + value);
	}
	return hierarchy({ name: "all", children: [...cgroups].map(([name, processes]) => ({
		name, children: [...processes].map(([who, value]) => ({ name: who, value })) })) }, (d) => d.children)
		.sum((d) => d.value || 0).sort((a, b) => b.value - a.value);
}

export function holdersChart(figure) {
	const sources = [["held", "held memory that was traced", heldRows()]];
	let source = sources[0], draw = () => {};

	if (data.levels)
		sources.push(["levels", "kernel stacks and page tables, at the end", levelRows()]);
	const choose = html("select", { id: "choose-holders", on: { change: (event) => { source = sources.find(([name]) => name === event.target.value); draw(); } } },
		...sources.map(([name, words]) => html("option", { value: name }, words)));
	const box = html("div", {}), detail = html("p", { class: "note", role: "status" });

	function paint(width) {
		const em = rem(), height = 20 * em, tree = treeOf(source[2]);
		const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, height, role: "list", "aria-label": figure.dataset.label });

		if (!tree.value) {
			box.replaceChildren(html("p", {}, "Nothing is held here."));
			detail.textContent = "";
			return;
		}
		treemap().tile(treemapSquarify).size([width, height]).paddingTop(1.4 * em).paddingInner(1).round(false)(tree);
		const sum = `${bytes(tree.value)} in all`;
		detail.textContent = sum;
		detail.dataset.v = tree.value;
		(tree.children || []).forEach((cgroup, i) => {
			const colour = COLOURS[Math.min(i, COLOURS.length - 1)];

			picture.append(tile(cgroup, `color-mix(in oklab, var(${colour}) 25%, var(--bg))`, "cgroup"));
			for (const process of cgroup.children)
				picture.append(tile(process, `color-mix(in oklab, var(${colour}) 60%, var(--bg))`, "process"));
		});
		box.replaceChildren(picture);

		function tile(node, colour, kind) {
			const w = node.x1 - node.x0, h = node.y1 - node.y0, room = Math.floor((w - .6 * em) / (.46 * em));
			const label = `${node.data.name}: ${bytes(node.value)}`;
			const words = `${label} (${share(node.value, tree.value)})${kind === "process" ? ` in ${node.parent.data.name}` : ""}`;

			return svg("g", { class: `tile ${kind}`, role: "listitem", tabindex: w * h > 4 * em * em ? "0" : null, "aria-label": words,
				"data-bytes": node.value, "data-name": node.data.name,
				on: { pointerenter: () => { detail.textContent = words; }, pointerleave: () => { detail.textContent = sum; }, focus: () => { detail.textContent = words; } } },
				svg("rect", { x: node.x0, y: node.y0, width: w, height: h, fill: colour }),
				room > 3 && h > 1.2 * em ? svg("text", { "aria-hidden": "true", x: node.x0 + .3 * em, y: node.y0 + 1 * em }, label.length > room ? `${label.slice(0, room - 1)}…` : label) : null);
		}
	}

	figure.append(html("div", { class: "controls" }, html("label", { for: "choose-holders" }, "Show"), choose), box, detail);
	drawn(box, (width) => {
		draw = () => paint(width);
		draw();
	});
	onRange(whenDone(() => draw()));
}
