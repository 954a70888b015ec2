// SPDX-License-Identifier: MIT
// Tables: sorting, the filter and time range of caches, and a cache's size over time.
import { area, line } from "d3-shape";
import { changeIn, data, isWhole, nearest, onRange, range, rows, series } from "./data.js";
import { drawn, html, rem, svg, whenDone } from "./dom.js";
import { byteTicks, bytes, count, duration, timeTicks } from "./units.js";

const ROWS_MAX = 400; // in the page at once

function compare(a, b) {
	if (a === null || b === null)
		return a === b ? 0 : a === null ? 1 : -1; // unknown last
	return typeof a === "number" ? b - a : a < b ? -1 : a > b ? 1 : 0;
}

// Buttons in the head; `sort(column, direction)` puts the rows in order.
function sortable(table, sort) {
	const heads = [...table.querySelectorAll("thead th")];

	heads.forEach((th, i) => {
		const name = th.textContent;

		if (!name)
			return;
		th.replaceChildren(html("button", { type: "button", on: { click: () => {
			const first = th.classList.contains("n") ? "descending" : "ascending", other = first === "ascending" ? "descending" : "ascending";
			const next = th.getAttribute("aria-sort") === first ? other : first;

			heads.forEach((head) => head.removeAttribute("aria-sort"));
			th.setAttribute("aria-sort", next);
			sort(i, next === first ? 1 : -1);
		} } }, name));
	});
}

// A table whose rows are all in the page.
export function sortStatic(table) {
	const body = table.tBodies[0];
	const value = (tr, i) => {
		const td = tr.cells[i];

		return td.dataset.v !== undefined ? Number(td.dataset.v) : td.classList.contains("none") ? null : td.textContent;
	};

	sortable(table, (i, direction) => {
		const all = [...body.rows].sort((a, b) => {
			const x = value(a, i), y = value(b, i);

			return x === null || y === null ? compare(x, y) : direction * compare(x, y);
		});

		body.append(...all);
	});
}

function cell(value, words, sign) {
	return value === null || value === undefined ? html("td", { class: "n none" }, "–") : html("td", { class: "n", "data-v": value }, words(value, sign));
}

// ---- pools: start, end and change follow the range ----

export function poolsTable(table) {
	const pools = new Map(data.pools.map((pool) => [pool.name, pool]));
	const lines = [...table.tBodies[0].rows].map((tr) => ({ tr, pool: pools.get(tr.cells[0].textContent), cells: [...tr.cells].map((td) => td.cloneNode(true)) }));

	onRange(() => {
		for (const { tr, pool, cells } of lines) {
			if (isWhole()) {
				tr.replaceChildren(...cells.map((td) => td.cloneNode(true)));
				continue;
			}
			if (!pool) {
				tr.replaceChildren(cells[0].cloneNode(true), ...[1, 2, 3, 4, 5, 6, 7].map(() => cell(null)), html("td", {}, ""));
				continue;
			}
			const values = series(pool.series, data.times.length).map((kb) => kb === null ? null : kb * 1024);
			const start = values[nearest(data.times, range.from)], end = values[nearest(data.times, range.to)];
			const change = start === null || end === null ? null : end - start;

			tr.replaceChildren(cells[0].cloneNode(true), cell(start, bytes), cell(end, bytes), cell(change, bytes, true),
				...[4, 5, 6, 7].map(() => cell(null)), html("td", {}, ""));
		}
	});
}

// ---- caches ----

export function cachesTable(table, figure) {
	const diff = data.kind === "diff", all = rows(data.caches), body = table.tBodies[0];
	const columns = diff ? [["name"], ["status"], ["base_kb", "kb"], ["new_kb", "kb"], ["delta_kb", "change"], ["delta_low_kb", "interval"], ["pattern"]]
		: [["name"], ["size", "count"], ["start_kb", "kb"], ["end_kb", "kb"], ["delta_kb", "change"], ["end_objects", "count"],
			["attributed_bytes", "bytes"], ["trust"], ["reclaimable"], ["pattern"]];
	let shown = all, order = null, wanted = null, open = null;

	for (const row of all) {
		row.values = row.series ? series(row.series, data.caches.times.length).map((kb) => kb === null ? null : kb * 1024) : null;
		row.reclaimable = row.reclaimable === null ? "unknown" : row.reclaimable ? "yes" : "no";
	}

	// A row's figures within the range; what only the whole recording has is unknown in a part of it.
	function inRange(row) {
		if (diff || isWhole())
			return row;
		const times = data.caches.times, part = { ...row, end_objects: null, attributed_bytes: null, pattern: "" };

		part.start_kb = row.values ? row.values[nearest(times, range.from)] / 1024 : null;
		part.end_kb = row.values ? row.values[nearest(times, range.to)] / 1024 : null;
		const change = row.values ? changeIn(times, row.values, false) : null;
		part.delta_kb = change === null ? null : change / 1024;
		return part;
	}

	function tdOf(part, row, [name, kind]) {
		if (name === "name" && !diff && row.values)
			return html("td", {}, html("button", { type: "button", "aria-expanded": String(open === row), on: { click: () => show(row) } }, html("bdi", {}, row.name)));
		if (name === "name")
			return html("td", {}, html("bdi", {}, row.name));
		if (kind === "interval")
			return html("td", {}, part.delta_low_kb === null || part.delta_low_kb === part.delta_high_kb ? ""
				: `(${bytes(part.delta_low_kb * 1024)} to ${bytes(part.delta_high_kb * 1024)})`);
		if (kind === "kb" || kind === "change")
			return cell(part[name] === null ? null : part[name] * 1024, bytes, kind === "change");
		if (kind === "count")
			return cell(part[name], count);
		if (kind === "bytes")
			return cell(part[name], bytes);
		return html("td", {}, part[name] || "");
	}

	function draw() {
		const parts = shown.map((row) => ({ row, part: inRange(row) }));

		if (order) {
			const [name] = columns[order.column];

			parts.sort((a, b) => {
				const x = a.part[name] ?? null, y = b.part[name] ?? null;

				return x === null || y === null ? compare(x, y) : order.direction * compare(x, y);
			});
		}
		body.replaceChildren(...parts.slice(0, ROWS_MAX).map(({ row, part }) =>
			html("tr", { "aria-selected": open === row ? "true" : null, "data-cache": row.name }, ...columns.map((column) => tdOf(part, row, column)))));
		note.textContent = parts.length > ROWS_MAX ? `${ROWS_MAX} of ${parts.length} caches are shown: filter to see others.` : `${parts.length} of ${all.length} caches`;
	}

	function filter() {
		wanted = null;
		input.removeAttribute("aria-invalid");
		try {
			wanted = new RegExp(input.value, "i");
		} catch (error) {
			input.setAttribute("aria-invalid", "true");
		}
		shown = wanted ? all.filter((row) => wanted.test(row.name)) : all;
		draw();
	}

	function show(row) {
		open = open === row ? null : row;
		figure.hidden = !open;
		if (open)
			cacheChart(figure, open);
		else
			figure.replaceChildren();
		const focus = open || row;
		draw();
		[...body.rows].find((tr) => tr.dataset.cache === focus.name)?.querySelector("button")?.focus();
	}

	const input = html("input", { type: "search", placeholder: "regular expression", spellcheck: "false", on: { input: filter } });
	const note = html("span", { class: "note", "aria-live": "polite" });

	if (figure)
		figure.hidden = true;
	table.parentNode.before(html("div", { class: "controls" }, html("label", {}, "Filter caches", input), note));
	sortable(table, (column, direction) => {
		order = { column, direction };
		draw();
	});
	draw();
	onRange(whenDone(draw));
}

// The size of one cache over time.
function cacheChart(figure, row) {
	const times = data.caches.times, box = html("div", {}), reading = html("p", { class: "note" });
	const known = times.map((t, i) => [t, row.values[i]]).filter(([, v]) => v !== null);

	figure.replaceChildren(html("h3", {}, "Pages of ", html("bdi", {}, row.name)), box, reading);
	const words = (i) => `${duration(known[i][0])}: ${bytes(known[i][1])}`;
	const first = known[0], last = known[known.length - 1];
	reading.textContent = `${bytes(first[1])} at ${duration(first[0])}, ${bytes(last[1])} at ${duration(last[0])}: ${row.pattern}` +
		(row.pattern === "growing" && row.slope_kb_per_s > 0 ? `, ${bytes(row.slope_kb_per_s * 1024)} per second` : "");
	drawn(box, (width) => {
		const em = rem(), left = 5 * em, right = .6 * em, top = .5 * em, bottom = 1.6 * em, height = 11 * em;
		const low = Math.min(...known.map(([, v]) => v)), most = Math.max(...known.map(([, v]) => v)), high = most > low ? most + (most - low) * .05 : low + 4096;
		const t0 = first[0], t1 = last[0] > t0 ? last[0] : t0 + 1;
		const x = (t) => left + (t - t0) / (t1 - t0) * (width - left - right), y = (v) => top + (high - v) / (high - low) * (height - top - bottom);
		const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, height, role: "img", "aria-label": `Pages of ${row.name} over time: ${reading.textContent}`,
			"data-first": first[1], "data-last": last[1] });
		const axis = svg("g", { class: "axis" });

		for (const tick of byteTicks(low, high, 4))
			axis.append(svg("line", { class: "grid", x1: left, x2: width - right, y1: y(tick), y2: y(tick) }),
				svg("text", { x: left - .4 * em, y: y(tick) + .25 * em, "text-anchor": "end" }, bytes(tick)));
		for (const tick of timeTicks(t0, t1, width / (6 * em)))
			axis.append(svg("text", { x: x(tick), y: height - .35 * em, "text-anchor": x(tick) > width - 2 * em ? "end" : "middle" }, duration(tick)));
		const at = svg("text", { x: width - right, y: top + em, "text-anchor": "end" });
		picture.append(axis, svg("path", { class: "area", d: area().x((d) => x(d[0])).y0(y(low)).y1((d) => y(d[1]))(known) }),
			svg("path", { class: "line", d: line().x((d) => x(d[0])).y((d) => y(d[1]))(known) }), at,
			svg("rect", { class: "over", x: left, y: top, width: width - left - right, height: height - top - bottom, on: {
				pointermove: (event) => {
					const box_ = picture.getBoundingClientRect();
					at.textContent = words(nearest(known.map(([t]) => t), t0 + ((event.clientX - box_.left) * width / box_.width - left) / (width - left - right) * (t1 - t0)));
				},
				pointerleave: () => { at.textContent = ""; },
			} }));
		box.replaceChildren(picture);
	});
}
