// SPDX-License-Identifier: MIT
// Figures in words, as kmemtrace prints them (user/base/units.c).
export function bytes(value, sign) {
	const letters = "BKMGTPE";
	let unit = 0;

	if (value === null || !isFinite(value))
		return "–";
	const plus = sign && value > 0 ? "+" : "";
	while (Math.abs(value) >= 1023.95 && unit < letters.length - 1) {
		value /= 1024;
		unit++;
	}
	return plus + (unit ? `${value.toFixed(1)} ${letters[unit]}iB` : `${Math.round(value)} B`);
}

export function count(value, sign) {
	if (value === null || !isFinite(value))
		return "–";
	return (sign && value > 0 ? "+" : "") + Math.round(value).toString().replace(/\B(?=(\d{3})+$)/g, ",");
}

export function share(part, all) {
	const percent = all ? 100 * part / all : 0;

	return `${percent >= 10 || percent === 0 ? percent.toFixed(0) : percent.toPrecision(2)} %`;
}

export function duration(s) {
	const whole = Math.round(s), part = (n, unit) => n ? ` ${n} ${unit}` : "";

	if (s < 9.95 && s !== whole)
		return `${s.toFixed(1)} s`;
	if (whole < 120)
		return `${whole} s`;
	if (whole < 7200)
		return `${Math.floor(whole / 60)} min${part(whole % 60, "s")}`;
	if (whole < 172800)
		return `${Math.floor(whole / 3600)} h${part(Math.floor(whole % 3600 / 60), "min")}`;
	return `${Math.floor(whole / 86400)} d${part(Math.floor(whole % 86400 / 3600), "h")}`;
}

// Round steps for an axis of bytes: 1, 2, 4, … 512 of a unit.
export function byteTicks(low, high, want) {
	let step = 1;

	while ((high - low) / step > want)
		step *= 2;
	const ticks = [];
	for (let v = Math.ceil(low / step) * step; v <= high; v += step)
		ticks.push(v);
	return ticks;
}

export function timeTicks(low, high, want) {
	const steps = [.1, .2, .5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400];
	const step = steps.find((s) => (high - low) / s <= want) || Math.ceil((high - low) / want / 86400) * 86400;
	const ticks = [];

	for (let v = Math.ceil(low / step) * step; v <= high; v += step)
		ticks.push(v);
	return ticks;
}
