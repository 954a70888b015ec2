// SPDX-License-Identifier: GPL-2.0-only
// victoria.cjs URL FILE: import a file of metrics into VictoriaMetrics, export all of it again, and print each point as a
// line "NAME{LABELS} VALUE MILLISECONDS", sorted. victoria.cjs --sort: do the same to lines on standard input.
'use strict'
const fs = require('fs')

// The labels in one order, and the value as JavaScript prints it.
function line(name, labels, value, ms) {
	const list = Object.entries(labels).sort().map(([k, v]) => `${k}=${JSON.stringify(v)}`)

	return `${name}{${list.join(',')}} ${Number(value)} ${ms}`
}

function print(lines) {
	for (const text of lines.sort())
		console.log(text)
}

function parse(text) {
	const [, name, inner, value, ms] = text.match(/^([a-z_]+)\{(.*)\} (\S+) (\d+)$/)
	const labels = {}

	for (const [, key, quoted] of inner.matchAll(/([a-z_]+)=("(?:[^"\\]|\\.)*")/g))
		labels[key] = JSON.parse(quoted)
	return line(name, labels, value, ms)
}

async function roundTrip(url, file) {
	const sent = await fetch(`${url}/api/v1/import/prometheus`, { method: 'POST', body: fs.readFileSync(file) })

	if (!sent.ok)
		throw new Error(await sent.text())
	await fetch(`${url}/internal/force_flush`)
	const back = await fetch(`${url}/api/v1/export?start=0&match[]=` + encodeURIComponent('{__name__!=""}'))
	const lines = []

	for (const row of (await back.text()).trim().split('\n')) {
		const { metric, values, timestamps } = JSON.parse(row)
		const { __name__: name, ...labels } = metric

		values.forEach((value, i) => lines.push(line(name, labels, value, timestamps[i])))
	}
	print(lines)
}

if (process.argv[2] === '--sort')
	print(fs.readFileSync(0, 'utf8').trim().split('\n').map(parse))
else
	roundTrip(process.argv[2], process.argv[3])
