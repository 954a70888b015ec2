// SPDX-License-Identifier: GPL-2.0-only
// pprof_paths.cjs DIR PROFILE: decode a profile with npm's pprof-format in DIR, and print each call path that holds memory
// as a line "BYTES FRAME < FRAME…", innermost first, sorted. A frame is "function+0xoffset [module] build-id".
'use strict'
const fs = require('fs')
const zlib = require('zlib')
const { Profile } = require(process.argv[2] + '/pprof-format')

const profile = Profile.decode(zlib.gunzipSync(fs.readFileSync(process.argv[3])))
const text = (i) => profile.stringTable.strings[Number(i)]
const byId = (list) => new Map(list.map((item) => [Number(item.id), item]))
const locations = byId(profile.location)
const functions = byId(profile.function)
const mappings = byId(profile.mapping)
const figure = profile.sampleType.findIndex((t) => text(t.type) === 'inuse_space')

function frame(id) {
	const location = locations.get(Number(id))
	const f = functions.get(Number(location.line[0].functionId))
	const mapping = mappings.get(Number(location.mappingId))

	return mapping
		? `${text(f.systemName)} [${text(mapping.filename)}] ${text(mapping.buildId)}`
		: text(f.systemName)
}

const paths = new Map()
for (const sample of profile.sample) {
	const path = sample.locationId.map(frame).join(' < ')

	if (Number(sample.value[figure]))
		paths.set(path, (paths.get(path) || 0) + Number(sample.value[figure]))
}
for (const [path, bytes] of [...paths].sort())
	console.log(bytes, path)
