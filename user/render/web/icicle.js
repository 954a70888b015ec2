// SPDX-License-Identifier: MIT
// Held memory: pool, cache, call path. Width is bytes; each byte is in one box of a row. Zoom, search, inverted
// paths, and colours by pool, module, age, or change in a diff.
import { hierarchy, partition } from "d3-hierarchy";
import { changeIn, data, isWhole, linesOf, onRange, rows, series, text } from "./data.js";
import { drawn, html, rem, svg, whenDone } from "./dom.js";
import { poolColour } from "./pools.js";
import { bytes, count, duration, share } from "./units.js";

const GONE = "freed by the end of the recording";
const isDiff = data.kind === "diff";
const BAR = 1.45; // rem

function moduleOf(frame) {
	const found = /\[([^\]]*)\]$/.exec(frame);

	return found ? found[1] : "vmlinux";
}

// A frame of the details, with its source lines as in the table.
function frameItem(frame) {
	const words = linesOf(frame).map((line) => html("div", { class: "line" }, html("bdi", {}, line)));

	return html("li", {}, ...words.slice(0, -1), frame, ...words.slice(-1));
}

// Without the offset: a function is one box, whatever the place in it.
function functionOf(frame) {
	return frame.replace(/\+0x[0-9a-f]+(?=$| \[)/, "");
}

// The leaves: a row of the data each, and one for what was added up.
function leavesOf() {
	const table = data.growth, leaves = rows(table);

	leaves.forEach((row, i) => {
		row.held = isDiff ? null : series(table.series[i], table.times.length);
	});
	for (const rest of table.rest) {
		const row = { rest: true, stack: [], class: "", module: "", process: "", cgroup: "" };

		if (isDiff)
			Object.assign(row, { pool: text(rest[0]), cache: "", paths: rest[1], base_bytes: rest[2], new_bytes: rest[3], bytes: rest[4],
				bytes_low: -Infinity, bytes_high: Infinity });
		else
			Object.assign(row, { pool: text(rest[0]), cache: text(rest[1]), paths: rest[2], bytes: rest[3], objects: null, age_p50_s: null,
				held: series(rest[4], table.times.length) });
		leaves.push(row);
	}
	// in a part of the recording: memory of paths that hold nothing at the end
	if (!isDiff)
		leaves.push({ rest: true, gone: true, pool: GONE, stack: [], class: "", cache: "", module: "", process: "", cgroup: "", paths: null, bytes: 0,
			objects: null, age_p50_s: null, held: series(table.gone, table.times.length) });
	return leaves;
}

function labelsOf(row, inverted) {
	const names = [row.pool];
	const kind = row.cache || (row.class && row.class !== row.pool ? row.class : "");

	if (kind)
		names.push(kind);
	if (row.gone)
		return names;
	if (row.rest)
		return [...names, `${count(row.paths)} smaller ones`];
	if (isDiff && data.growth.by !== "stack")
		return [...names.slice(0, 1), row.name]; // of a row of several call paths, only the largest is known
	const frames = row.stack.map((frame) => ({ name: functionOf(frame), module: moduleOf(frame) }));
	return [...names, ...(inverted ? frames : frames.reverse())];
}

export function icicle(figure) {
	const leaves = leavesOf();
	const root = { tree: null, zoom: null, at: null, hits: null };
	let inverted = false, colour = isDiff ? "change" : "pool", width = isDiff && data.growth.set ? "change" : "new", found = 0;

	// What a leaf's box stands for, in the time range or by the chosen side.
	function valueOf(row) {
		if (isDiff)
			return width === "base" ? row.base_bytes || 0 : width === "change" ? Math.abs(row.bytes || 0) : row.new_bytes || 0;
		if (isWhole())
			return row.bytes;
		return changeIn(data.growth.times, row.held, data.start_s === 0) || 0;
	}

	function build() {
		const top = { name: "all", children: new Map(), leaves: [], depth: 0 };

		top.freed = 0;
		for (const row of leaves) {
			const value = valueOf(row);
			let node = top;

			if (!(value > 0)) {
				top.freed -= value;
				continue;
			}
			for (const label of labelsOf(row, inverted)) {
				const name = label.name || label;

				if (!node.children.has(name))
					node.children.set(name, { name, module: label.module || "", children: new Map(), leaves: [], self: 0, pool: row.pool });
				node = node.children.get(name);
			}
			node.leaves.push(row);
			node.self = (node.self || 0) + value;
		}
		root.tree = hierarchy(top, (node) => [...node.children.values()]).sum((node) => node.self || 0)
			.sort((a, b) => b.value - a.value || (a.data.name < b.data.name ? -1 : 1));
		root.tree.eachAfter((node) => summarise(node));
		partition()(root.tree);
		root.zoom = root.tree;
		root.at = root.tree;
		root.freed = top.freed;
		let id = 0;
		root.tree.each((node) => { node.id = `n${id++}`; });
	}

	// Of all leaves below: objects, age weighted by bytes, and the change with its interval.
	function summarise(node) {
		const sum = { objects: 0, aged: 0, age: 0, change: 0, below: 0, above: 0, base: 0, new_: 0 };
		const add = (other) => Object.keys(sum).forEach((key) => { sum[key] += other[key]; });

		for (const row of node.data.leaves) {
			sum.objects += row.objects || 0;
			if (row.age_p50_s !== null && row.age_p50_s !== undefined) {
				sum.aged += row.bytes;
				sum.age += row.bytes * row.age_p50_s;
			}
			if (isDiff) {
				sum.change += row.bytes || 0;
				sum.below += ((row.bytes || 0) - row.bytes_low) ** 2;
				sum.above += (row.bytes_high - (row.bytes || 0)) ** 2;
				sum.base += row.base_bytes || 0;
				sum.new_ += row.new_bytes || 0;
			}
		}
		for (const child of node.children || [])
			add(child.sum);
		node.sum = sum;
	}

	function interval(sum) {
		return [sum.change - Math.sqrt(sum.below), sum.change + Math.sqrt(sum.above)];
	}

	function fillOf(node) {
		const d = node.data;

		if (node === root.tree)
			return "var(--none)";
		if (colour === "change") {
			const [low, high] = interval(node.sum);

			if (!(low > 0 || high < 0))
				return "var(--none)";
			const strength = Math.max(.25, Math.min(1, Math.sqrt(Math.abs(node.sum.change) / (root.most || 1))));
			return `color-mix(in oklab, var(${node.sum.change > 0 ? "--grown" : "--shrunk"}) ${Math.round(100 * strength)}%, var(--bg))`;
		}
		if (colour === "age") {
			if (!node.sum.aged)
				return "var(--none)";
			const old = Math.sqrt(Math.min(1, node.sum.age / node.sum.aged / (data.duration_s || 1)));
			return `color-mix(in oklab, var(--c5) ${Math.round(20 + 80 * old)}%, var(--bg))`;
		}
		if (colour === "module") {
			if (!d.module)
				return "var(--none)";
			return d.module === "vmlinux" ? "var(--c4)" : `hsl(${[...d.module].reduce((h, c) => (h * 31 + c.codePointAt(0)) % 360, 7)} 55% 60%)`;
		}
		const strength = node.depth < 2 ? 100 : node.depth === 2 ? 82 : node.depth % 2 ? 62 : 54;
		return `color-mix(in oklab, ${poolColour(POOL_LINE[d.pool] || d.pool)} ${strength}%, var(--bg))`;
	}

	// ---- drawing ----

	const box = html("div", { class: "boxes" });
	const detail = html("div", { class: "detail", role: "status" });
	const sum = html("p", { class: "note sums" });
	const key = html("div", { class: "key" });
	const search = html("input", { type: "search", placeholder: "regular expression", spellcheck: "false", "aria-describedby": "search-result",
		on: { input: () => { find(); paintHits(); } } });
	const result = html("span", { id: "search-result", class: "mono", "aria-live": "polite" });
	const whole = html("button", { type: "button", on: { click: () => zoomTo(root.tree) } }, "zoom out");
	let nodes = new Map(), byId = new Map(), draw = () => {};

	function visible(node, scale) {
		return (node.x1 - node.x0) * scale >= 1 && node.x1 > root.zoom.x0 && node.x0 < root.zoom.x1;
	}

	function drawBoxes(widthPx) {
		const em = rem(), bar = BAR * em, zoom = root.zoom;
		const scale = widthPx / (zoom.x1 - zoom.x0 || 1);
		// slivers need no rows of their own: zooming shows them
		const rowsOf = (node) => Math.max(node.depth, ...(node.children || []).filter((child) => (child.x1 - child.x0) * scale >= 4).map(rowsOf));
		const last = rowsOf(zoom), height = (last + 1) * bar;
		const picture = svg("svg", { viewBox: `0 0 ${widthPx} ${height}`, height, role: "tree", tabindex: "0",
			"aria-label": `${figure.dataset.label}. Arrow keys move, Enter zooms, Escape zooms out.`, on: {
				keydown: keys,
				click: (event) => { const node = nodeAt(event); if (node) zoomTo(node); },
				pointerover: (event) => say(nodeAt(event) || root.at),
				pointerleave: () => say(root.at),
			} });

		nodes = new Map();
		byId = new Map();
		root.most = Math.max(1, ...root.tree.leaves().map((leaf) => Math.abs(leaf.sum.change)));
		root.tree.each((node) => {
			if (node.depth > last || !visible(node, scale))
				return;
			const x0 = Math.max(0, (node.x0 - zoom.x0) * scale), x1 = Math.min(widthPx, (node.x1 - zoom.x0) * scale);
			const room = Math.floor((x1 - x0 - .5 * em) / (.46 * em));
			const name = node === root.tree ? `all: ${bytes(node.value)}` : node.data.name;
			const g = svg("g", { class: `node${node.depth < zoom.depth ? " above" : ""}`, "data-bytes": node.value, "data-depth": node.depth, "data-name": node.data.name },
				svg("rect", { id: node.id, role: "treeitem", "aria-level": node.depth + 1,
					"aria-label": `${node.data.name}, ${bytes(node.value)}, ${share(node.value, root.tree.value)}`, x: x0, y: node.depth * bar, width: Math.max(.6, x1 - x0), height: bar, fill: fillOf(node) }),
				room > 2 ? svg("text", { "aria-hidden": "true", x: x0 + .25 * em, y: node.depth * bar + bar * .68 }, name.length > room ? `${name.slice(0, room - 1)}…` : name) : null);

			nodes.set(node, g);
			byId.set(node.id, node);
			picture.append(g);
		});
		const focused = box.contains(document.activeElement);

		box.replaceChildren(picture);
		contrast();
		select(root.at, true);
		paintHits();
		if (focused)
			picture.focus({ preventScroll: true });
		whole.disabled = zoom === root.tree;
	}

	// Dark text on light boxes, and the other way round. Few fills are different.
	function contrast() {
		const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
		const known = new Map();

		for (const [node, g] of nodes) {
			const fill = fillOf(node);

			if (!g.lastChild.textContent)
				continue;
			if (!known.has(fill)) {
				canvas.fillStyle = "#000";
				canvas.fillStyle = getComputedStyle(g.firstChild).fill;
				canvas.fillRect(0, 0, 1, 1);
				const [r, gr, b] = canvas.getImageData(0, 0, 1, 1).data;
				const linear = [r, gr, b].map((v) => (v / 255) ** 2.2);
				known.set(fill, .2126 * linear[0] + .7152 * linear[1] + .0722 * linear[2] < .19);
			}
			g.classList.toggle("dark", known.get(fill));
		}
	}

	// The node of the box under the pointer.
	function nodeAt(event) {
		const g = event.target.closest(".node");

		return g && byId.get(g.firstChild.id);
	}

	function say(node) {
		const d = node.data, lines = [];
		const line = (...parts) => lines.push(html("p", {}, ...parts));

		line(html("b", {}, html("bdi", {}, node === root.tree ? "All held memory" : d.name)), d.module && d.module !== "vmlinux" ? ` [${d.module}]` : "",
			`: ${bytes(node.value)}, ${share(node.value, root.tree.value)} of all`,
			node.sum.objects && isWhole() ? `, ${count(node.sum.objects)} objects` : "");
		if (isDiff) {
			const [low, high] = interval(node.sum);

			line(`Change: ${bytes(node.sum.change, true)} (${isFinite(low) ? bytes(low, true) : "unknown"} to ${isFinite(high) ? bytes(high, true) : "unknown"})`,
				low > 0 || high < 0 ? "" : ": may be chance", data.growth.set ? "" : `; held in base ${bytes(node.sum.base)}, in new ${bytes(node.sum.new_)}`);
		}
		if (node.sum.aged)
			line(`Median age about ${duration(node.sum.age / node.sum.aged)}`);
		const rowsBelow = node.leaves().flatMap((leaf) => leaf.data.leaves);
		if (rowsBelow.length === 1 && !rowsBelow[0].rest) {
			const row = rowsBelow[0];

			if (row.bytes_low !== row.bytes_high && !isDiff && isWhole())
				line(`95 % interval: ${bytes(row.bytes_low)} to ${bytes(row.bytes_high)}`);
			if (row.process)
				line("Mostly by ", html("bdi", {}, row.process), row.cgroup ? " in " : "", row.cgroup ? html("bdi", {}, row.cgroup) : "");
			if (row.stack.length)
				lines.push(html("ol", { class: "path" }, ...row.stack.map(frameItem)));
		} else if (rowsBelow.length > 1) {
			line(`${count(rowsBelow.length)} ${data.growth.by === "stack" ? "call paths" : "rows"}`);
		}
		detail.replaceChildren(...lines);
	}

	function select(node, quiet) {
		nodes.get(root.at)?.classList.remove("at");
		root.at = nodes.has(node) ? node : root.zoom;
		nodes.get(root.at)?.classList.add("at");
		box.firstChild.setAttribute("aria-activedescendant", root.at.id);
		if (!quiet)
			say(root.at);
	}

	function zoomTo(node) {
		root.zoom = node;
		root.at = node;
		draw();
		say(node);
	}

	function sibling(node, step) {
		const row = [...nodes.keys()].filter((other) => other.depth === node.depth);

		return row[row.indexOf(node) + step];
	}

	function keys(event) {
		const moves = {
			ArrowDown: () => root.at.children?.find((child) => nodes.has(child)),
			ArrowUp: () => root.at.parent,
			ArrowRight: () => sibling(root.at, 1),
			ArrowLeft: () => sibling(root.at, -1),
			Home: () => root.zoom,
		};

		if (event.key === "Enter" || event.key === " ") {
			zoomTo(root.at);
		} else if (event.key === "Escape") {
			zoomTo(root.zoom.parent || root.tree);
		} else if (moves[event.key]) {
			const node = moves[event.key]();

			if (node && nodes.has(node))
				select(node);
		} else {
			return;
		}
		event.preventDefault();
	}

	// Matches of a name, and the bytes below them, each once.
	function find() {
		let pattern = null;

		root.hits = null;
		search.removeAttribute("aria-invalid");
		result.textContent = "";
		if (!search.value)
			return;
		try {
			pattern = new RegExp(search.value, "i");
		} catch (error) {
			search.setAttribute("aria-invalid", "true");
			result.textContent = "not a regular expression";
			return;
		}
		const names = new Map(), matches = (name) => {
			if (!names.has(name))
				names.set(name, pattern.test(name));
			return names.get(name);
		};
		root.hits = new Set();
		found = 0;
		root.tree.eachBefore((node) => {
			const hit = node !== root.tree && matches(node.data.name);

			node.covered = node.parent ? node.parent.covered || root.hits.has(node.parent) : false;
			if (!hit)
				return;
			root.hits.add(node);
			if (!node.covered)
				found += node.value;
		});
		result.textContent = `${bytes(found)} (${share(found, root.tree.value)})`;
		result.dataset.v = found;
	}

	function paintHits() {
		box.classList.toggle("searching", Boolean(root.hits));
		for (const [node, g] of nodes)
			g.classList.toggle("hit", Boolean(root.hits && root.hits.has(node)));
	}

	// ---- what surrounds the boxes ----

	const swatch = (background, words) => html("span", {}, html("span", { class: "swatch", background }), words);

	function drawKey() {
		const keysOf = {
			change: [swatch("var(--grown)", "holds more"), swatch("var(--shrunk)", "holds less"), swatch("var(--none)", "may be chance (interval holds 0)")],
			age: [swatch("color-mix(in oklab, var(--c5) 20%, var(--bg))", "young"), swatch("var(--c5)", "as old as the recording"), swatch("var(--none)", "unknown")],
			module: [swatch("var(--c4)", "kernel image"), swatch("hsl(200 55% 60%)", "other colours: modules"), swatch("var(--none)", "pool and cache")],
			pool: [...new Set(leaves.filter((row) => valueOf(row) > 0).map((row) => row.pool))].map((pool) => swatch(poolColour(POOL_LINE[pool] || pool), pool)),
		};

		key.replaceChildren(...keysOf[colour]);
	}

	function drawSums() {
		sum.textContent = `${bytes(root.tree.value)} ${isDiff ? { new: "held in the new capture", base: "held in the base", change: "of change" }[width]
			: isWhole() ? "held at the end" : "more held at the end of the range than at its start"}.` +
			(root.freed > 0 ? ` ${bytes(root.freed)} less held by paths that shrank (not shown).` : "") +
			(isDiff || isWhole() ? "" : " Within a range, figures are those of the nearest checkpoints, before the audit.");
		sum.dataset.v = root.tree.value;
	}

	function rebuild() {
		build();
		find();
		drawSums();
		drawKey();
		draw();
		say(root.at);
	}

	function chooser(label, options, value, set) {
		const id = `choose-${label.toLowerCase().replace(/ /g, "-")}`;
		const select_ = html("select", { id, on: { change: (event) => { set(event.target.value); rebuild(); } } },
			...options.map(([name, words]) => html("option", { value: name, selected: name === value }, words)));

		return html("span", {}, html("label", { for: id }, label), " ", select_);
	}

	const colours = isDiff ? [["change", "change"], ["pool", "pool"], ["module", "module"]] : [["pool", "pool"], ["module", "module"], ["age", "age"]];
	const widths = data.growth.set ? [["change", "size of the change"], ["new", "held in new"]]
		: [["new", "held in new"], ["base", "held in base"], ["change", "size of the change"]];
	figure.append(html("div", { class: "controls" },
		html("label", {}, "Search", search), result,
		chooser("Paths from", [["entry", "the system call"], ["site", "the allocation (inverted)"]], "entry", (v) => { inverted = v === "site"; }),
		chooser("Colour", colours, colour, (v) => { colour = v; }),
		isDiff ? chooser("Width", widths, width, (v) => { width = v; }) : null, whole),
		sum, key, box, detail);
	if (!leaves.some((row) => !row.gone)) {
		figure.replaceChildren(html("p", {}, "Nothing is held, so there is no picture."));
		return;
	}
	build();
	drawSums();
	drawKey();
	drawn(box, (widthPx) => {
		draw = () => drawBoxes(widthPx);
		draw();
		say(root.at);
	});
	if (!isDiff)
		onRange(whenDone(rebuild));
}

// The line of /proc/meminfo that has the colour of a pool.
const POOL_LINE = { slab: "Slab", vmalloc: "VmallocUsed", percpu: "Percpu", kstack: "KernelStack", pagetable: "PageTables", page: "Unaccounted" };
