// SPDX-License-Identifier: MIT
// Elements. Names from a capture become text or attributes here, never markup.
const SVG = "http://www.w3.org/2000/svg";

function fill(element, attributes, children) {
	for (const [name, value] of Object.entries(attributes || {})) {
		if (name === "on")
			for (const [event, listener] of Object.entries(value))
				element.addEventListener(event, listener);
		else if (name === "fill")
			element.style.fill = value;
		else if (name === "background")
			element.style.background = value;
		else if (value === true)
			element.setAttribute(name, "");
		else if (value !== false && value !== null && value !== undefined)
			element.setAttribute(name, value);
	}
	element.append(...children.filter((child) => child !== null && child !== undefined));
	return element;
}

export function html(tag, attributes, ...children) {
	return fill(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes, ...children) {
	return fill(document.createElementNS(SVG, tag), attributes, children);
}

// The figure that the page has for a chart; null: this page has no such chart.
export function chart(id) {
	const figure = document.getElementById(id);

	if (figure)
		figure.hidden = false;
	return figure;
}

export function rem() {
	return parseFloat(getComputedStyle(document.documentElement).fontSize);
}

// For what is costly: do it after the next paint, and once for all calls until then. The parts wait for each other, so
// that the pointer is answered between them.
const waiting = new Set();

function next() {
	const [work] = waiting;

	if (!work)
		return;
	waiting.delete(work);
	work();
	document.documentElement.dataset.waiting = waiting.size;
	setTimeout(next);
}

export function whenDone(work) {
	return () => {
		if (!waiting.size)
			requestAnimationFrame(() => setTimeout(next));
		waiting.add(work);
		document.documentElement.dataset.waiting = waiting.size;
	};
}

// Draw now, and again when the width changes.
export function drawn(element, draw) {
	let width = 0;

	new ResizeObserver(() => {
		if (element.clientWidth && element.clientWidth !== width) {
			width = element.clientWidth;
			draw(width);
		}
	}).observe(element);
	width = element.clientWidth;
	if (width)
		draw(width);
}
