// SPDX-License-Identifier: MIT
// Pools over time, stacked: each page once. A report has one panel, whose brush sets the time range of the page; a
// diff has one for each recording, on one scale.
import { area, stack, stackOffsetDiverging } from "d3-shape";
import { data, isWhole, nearest, onRange, range, series, setRange } from "./data.js";
import { drawn, html, rem, svg } from "./dom.js";
import { byteTicks, bytes, duration, timeTicks } from "./units.js";

const COLOURS = ["--c0", "--c1", "--c2", "--c3", "--c4", "--c5", "--c6", "--c7"];
const colourOf = new Map();

// Colours and layers are in this order, whatever the order of the data.
const ORDER = ["Slab", "VmallocUsed", "KernelStack", "PageTables", "SecPageTables", "Percpu", "UnmappedLRU", "Unaccounted"];

for (const [i, name] of ORDER.entries())
	colourOf.set(name, `var(${COLOURS[i]})`);

export function poolColour(name) {
	if (!colourOf.has(name))
		colourOf.set(name, `var(${COLOURS[colourOf.size % COLOURS.length]})`);
	return colourOf.get(name);
}

// One layer a pool, in bytes. Thread stacks within VmallocUsed are in the layer of KernelStack.
function layersOf(pools, times, stacksInVmalloc) {
	const layers = [...pools].sort((a, b) => ORDER.indexOf(a.name) - ORDER.indexOf(b.name)).map((pool) => ({
		name: pool.name,
		label: pool.name,
		values: series(pool.series, times.length).map((kb) => kb === null ? null : kb * 1024),
	}));
	const stacks = layers.find((layer) => layer.name === "KernelStack"), vmalloc = layers.find((layer) => layer.name === "VmallocUsed");

	if (stacksInVmalloc && stacks && vmalloc) {
		vmalloc.values = vmalloc.values.map((v, i) => v === null ? null : v - (stacks.values[i] || 0));
		vmalloc.label = "VmallocUsed, without stacks";
	}
	return layers;
}

function reportPanels() {
	return [{ title: "", times: data.times, layers: layersOf(data.pools, data.times, data.stacks_in_vmalloc) }];
}

function diffPanels() {
	return ["base", "new"].map((side) => {
		const longest = data.pools.reduce((a, b) => b[side].times.length > a[side].times.length ? b : a, data.pools[0]);
		const times = longest ? longest[side].times : [];
		// a pool that some snapshots lack is shown at the times that it has
		const pools = data.pools.filter((pool) => pool[side].times.length === times.length)
			.map((pool) => ({ name: pool.name, series: pool[side].series }));

		return { title: side === "base" ? "Base" : "New", times, layers: layersOf(pools, times, data.stacks_in_vmalloc) };
	}).filter((panel) => panel.times.length > 1);
}

export function poolsChart(figure) {
	const brushed = data.kind === "report";
	const panels = brushed ? reportPanels() : diffPanels();
	const hidden = new Set();
	let mode = "size";

	if (!panels.length || panels[0].times.length < 2) {
		figure.replaceChildren(html("p", {}, "There are too few readings for a picture over time."));
		return;
	}
	const charts = html("div", { class: "panels" });
	const legend = html("ul", { class: "legend" });
	const reading = html("p", { class: "note reading" });
	const from = slider("from"), to = slider("to");
	const reset = html("button", { type: "button", on: { click: () => setRange(null, null) } }, "whole recording");
	const chosen = html("span", { class: "range mono", "aria-live": "polite" });
	const shown = html("select", { id: "choose-pools", on: { change: (event) => { mode = event.target.value; redraw(); } } },
		html("option", { value: "size" }, "size"), html("option", { value: "change" }, "change since the start"));
	const state = { pointer: null, drag: null };
	let redraw = () => {};

	function slider(name) {
		const last = panels[0].times.length - 1;

		return html("input", { type: "range", min: 0, max: last, value: name === "from" ? 0 : last, step: 1, "data-end": name,
			on: { input: () => {
				const a = Math.min(+from.value, +to.value), b = Math.max(+from.value, +to.value);

				if (a === b)
					return;
				if (a === 0 && b === last)
					setRange(null, null);
				else
					setRange(panels[0].times[a], panels[0].times[b]);
			} } });
	}

	function bounds(panel) {
		const low = panel.times[0], high = panel.times[panel.times.length - 1];

		return [low, high > low ? high : low + 1];
	}

	// The layers to stack, and their values: sizes, or changes since the start of the range.
	function values(panel) {
		const start = brushed && !isWhole() ? nearest(panel.times, range.from) : 0;

		return panel.layers.filter((layer) => !hidden.has(layer.name)).map((layer) => {
			const first = layer.values[start];

			return { ...layer, values: layer.values.map((v) => v === null ? 0 : mode === "size" ? Math.max(0, v) : v - (first || 0)) };
		});
	}

	function stacked(panel) {
		const layers = values(panel);
		const points = panel.times.map((t, i) => Object.fromEntries(layers.map((layer) => [layer.name, layer.values[i]])));

		return stack().keys(layers.map((layer) => layer.name)).offset(stackOffsetDiverging)(points);
	}

	function drawLegend() {
		const panel = panels[panels.length - 1];
		const i = state.pointer === null ? panel.times.length - 1 : nearest(panel.times, state.pointer);
		const start = brushed && !isWhole() ? nearest(panel.times, range.from) : 0;
		const end = state.pointer !== null || !brushed || isWhole() ? i : nearest(panel.times, range.to);
		let all = 0, grew = 0;

		const items = panel.layers.map((layer) => {
			const now = layer.values[end], first = layer.values[start];
			const change = now === null || first === null ? null : now - first;
			const swatch = html("span", { class: "swatch", background: poolColour(layer.name) });

			if (!hidden.has(layer.name)) {
				all += now || 0;
				grew += change || 0;
			}
			return html("li", { "data-pool": layer.name }, swatch,
				html("button", { type: "button", "aria-pressed": String(!hidden.has(layer.name)), title: "show or hide",
					on: { click: () => { toggle(layer.name); } } }, layer.label),
				html("span", { class: "mono", "data-v": now }, bytes(now)),
				html("span", { class: "mono", "data-change": change }, bytes(change, true)));
		});
		const focus = legend.contains(document.activeElement) && document.activeElement.textContent;

		legend.replaceChildren(...items);
		if (focus)
			[...legend.querySelectorAll("button")].find((b) => b.textContent === focus)?.focus();
		reading.textContent = `At ${duration(panel.times[end])}${panel.title ? ` of ${panel.title.toLowerCase()}` : ""}: ` +
			`${bytes(all)} in all pools shown, ${bytes(grew, true)} since ${duration(panel.times[start])}.` +
			(mode === "size" && panels.some((p) => p.layers.some((layer) => layer.values.some((v) => v < 0))) ? " Sizes below 0 are not drawn." : "");
	}

	function toggle(name) {
		if (hidden.has(name))
			hidden.delete(name);
		else
			hidden.add(name);
		redraw();
	}

	function drawPanel(panel, width, scale) {
		const em = rem(), left = 5 * em, right = .6 * em, top = .5 * em, bottom = 1.6 * em, height = 16 * em;
		const [t0, t1] = bounds(panel);
		const x = (t) => left + (t - t0) / (t1 - t0) * (width - left - right);
		const y = (v) => top + (scale.high - v) / (scale.high - scale.low) * (height - top - bottom);
		const time = (px) => Math.min(t1, Math.max(t0, t0 + (px - left) / (width - left - right) * (t1 - t0)));
		const root = svg("svg", { viewBox: `0 0 ${width} ${height}`, height, role: "img", "data-low": scale.low, "data-high": scale.high,
			"data-top": y(scale.high), "data-bottom": y(scale.low),
			"aria-label": `${figure.dataset.label}${panel.title ? `: ${panel.title}` : ""}. The table of pools has the figures.` });
		const shape = area().x((d, i) => x(panel.times[i])).y0((d) => y(d[0])).y1((d) => y(d[1]));
		const axis = svg("g", { class: "axis" });

		for (const tick of byteTicks(scale.low, scale.high, 5))
			axis.append(svg("line", { class: "grid", x1: left, x2: width - right, y1: y(tick), y2: y(tick) }),
				svg("text", { x: left - .4 * em, y: y(tick) + .25 * em, "text-anchor": "end" }, bytes(tick, mode === "change")));
		for (const tick of timeTicks(t0, t1, width / (6 * em)))
			axis.append(svg("text", { x: x(tick), y: height - .35 * em, "text-anchor": x(tick) > width - 2 * em ? "end" : "middle" }, duration(tick)));
		root.append(axis);
		for (const layer of stacked(panel))
			root.append(svg("path", { d: shape(layer), fill: poolColour(layer.key), "data-pool": layer.key }));
		if (brushed && !isWhole()) {
			const a = x(Math.max(t0, range.from)), b = x(Math.min(t1, range.to));

			root.append(svg("rect", { class: "shade", x: left, y: top, width: Math.max(0, a - left), height: height - top - bottom }),
				svg("rect", { class: "shade", x: b, y: top, width: Math.max(0, width - right - b), height: height - top - bottom }));
			for (const edge of [a, b])
				root.append(svg("line", { class: "edge", x1: edge, x2: edge, y1: top, y2: height - bottom }));
		}
		const cursor = svg("line", { class: "cursor", y1: top, y2: height - bottom, visibility: "hidden" });
		const at = (event) => time((event.clientX - root.getBoundingClientRect().left) * width / root.getBoundingClientRect().width);

		root.append(cursor, svg("rect", { class: "over", x: left, y: top, width: width - left - right, height: height - top - bottom, on: {
			pointermove: (event) => {
				state.pointer = at(event);
				const px = x(panel.times[nearest(panel.times, state.pointer)]);
				cursor.setAttribute("x1", px);
				cursor.setAttribute("x2", px);
				cursor.setAttribute("visibility", "visible");
				if (state.drag !== null && Math.abs(state.pointer - state.drag) > (t1 - t0) / 200)
					setRange(Math.min(state.drag, state.pointer), Math.max(state.drag, state.pointer));
				else
					drawLegend();
			},
			pointerleave: () => {
				state.pointer = null;
				cursor.setAttribute("visibility", "hidden");
				drawLegend();
			},
			pointerdown: (event) => {
				if (brushed && event.button === 0) {
					state.drag = at(event);
					event.preventDefault();
				}
			},
			dblclick: () => setRange(null, null),
		} }));
		return root;
	}

	function draw(width) {
		let low = 0, high = 1;

		for (const panel of panels)
			for (const layer of stacked(panel))
				for (const [a, b] of layer) {
					low = Math.min(low, a);
					high = Math.max(high, b);
				}
		const drawnPanels = panels.flatMap((panel) => [
			panel.title ? html("h3", {}, panel.title) : null,
			drawPanel(panel, width, { low, high: high + (high - low) * .04 }),
		]);
		charts.replaceChildren(...drawnPanels.filter((p) => p));
		drawLegend();
	}

	window.addEventListener("pointerup", () => { state.drag = null; });
	figure.append(html("div", { class: "controls" }, html("label", { for: "choose-pools" }, "Show"), shown), charts, legend, reading);
	if (brushed)
		figure.append(html("div", { class: "controls brush", role: "group", "aria-label": "Time range of this page" },
			html("label", {}, "From", from), html("label", {}, "to", to), chosen, reset,
			html("span", { class: "note" }, "or drag in the picture; all below follows")));
	const follow = () => {
		const [t0, t1] = bounds(panels[0]), last = panels[0].times.length - 1;

		from.value = isWhole() ? 0 : nearest(panels[0].times, range.from);
		to.value = isWhole() ? last : nearest(panels[0].times, range.to);
		from.setAttribute("aria-valuetext", duration(isWhole() ? t0 : range.from));
		to.setAttribute("aria-valuetext", duration(isWhole() ? t1 : range.to));
		chosen.textContent = isWhole() ? "" : `${duration(range.from)} to ${duration(range.to)}`;
		reset.disabled = isWhole();
		redraw();
	};

	follow();
	drawn(charts, (width) => {
		redraw = () => draw(width);
		redraw();
	});
	onRange(follow);
}
