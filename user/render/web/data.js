// SPDX-License-Identifier: MIT
// The data of the page (docs/html-report.md), decoded: strings by number, series by differences.
export const data = JSON.parse(document.getElementById("data").textContent);

const WORDS = new Set(["pool", "class", "cache", "trust", "module", "pattern", "process", "cgroup", "comm", "status", "name"]);

export function text(value) {
	return typeof value === "number" ? data.strings[value] : value || "";
}

// Of a frame with source lines: those of inlined functions, and at last its own.
const lines = new Map(Object.entries(data.lines || {}).map(([at, words]) => [data.strings[at], words.split("\n")]));

export function linesOf(frame) {
	return lines.get(frame) || [];
}

// Rows of lists under common columns, as objects.
export function rows(table) {
	return table.rows.map((row) => {
		const object = {};

		table.columns.forEach((name, i) => {
			object[name] = WORDS.has(name) ? text(row[i]) : row[i];
		});
		if (object.stack)
			object.stack = object.stack.map(text);
		return object;
	});
}

// `nr` figures from the first one and the differences; the last one repeats. null: unknown.
export function series(coded, nr) {
	const out = [];
	let value = 0;

	for (let i = 0; i < nr; i++) {
		if (i < coded.length && coded[i] === null) {
			out.push(null);
			continue;
		}
		if (i < coded.length)
			value += coded[i];
		out.push(value);
	}
	return out;
}

// ---- the time range that the reader chose, in seconds since tracing began; null: all of it ----

const listeners = [];
export const range = { from: null, to: null };

export function onRange(listener) {
	listeners.push(listener);
}

export function setRange(from, to) {
	range.from = from;
	range.to = to;
	for (const listener of listeners)
		listener();
}

export function isWhole() {
	return range.from === null;
}

export function nearest(times, t) {
	let best = 0;

	for (let i = 1; i < times.length; i++)
		if (Math.abs(times[i] - t) < Math.abs(times[best] - t))
			best = i;
	return best;
}

// The change of a series within the range. Checkpoints begin after 0, where nothing was held yet.
export function changeIn(times, values, heldFrom0) {
	const end = nearest(times, range.to), start = nearest(times, range.from);
	const early = heldFrom0 && range.from < times[0] / 2 ? 0 : values[start];

	if (!values.length || values[end] === null || early === null)
		return null;
	return values[end] - early;
}
