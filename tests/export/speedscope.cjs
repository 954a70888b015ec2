// SPDX-License-Identifier: GPL-2.0-only
// speedscope.cjs PAGE PROFILE: open a profile in speedscope, as its own command line does, and print the first rows of its
// table of functions, the largest first: "FUNCTION FIGURE", with commas and blanks removed. It fails if the page reports an
// error or asks for anything that is not on disk.
'use strict'
const fs = require('fs')
const path = require('path')
const { chromium } = require('playwright-core')

const [page_, profile] = process.argv.slice(2)

async function main() {
	const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] })
	const page = await browser.newPage({ viewport: { width: 1280, height: 900 } })
	const script = profile + '.js'
	const faults = []

	page.on('pageerror', (error) => faults.push(String(error)))
	page.on('dialog', (dialog) => faults.push(dialog.message()))
	page.on('request', (request) => request.url().startsWith('http') && faults.push('asks for ' + request.url()))
	fs.writeFileSync(script, `speedscope.loadFileFromBase64(${JSON.stringify(path.basename(profile))}, ` +
		`${JSON.stringify(fs.readFileSync(profile).toString('base64'))})`)
	await page.goto('file://' + page_ + '#localProfilePath=' + script)
	await page.getByText('Sandwich').click({ timeout: 20000 })
	await page.getByText('Symbol Name').waitFor({ timeout: 20000 })
	const rows = await page.locator('table tr').evaluateAll((all) => all.map((row) => row.innerText))

	await browser.close()
	if (faults.length)
		throw new Error(faults.join('\n'))
	for (const row of rows) {
		// total (percent), self (percent), name
		const [, own, name] = row.split(/\s*\([^)]*%\)\s*/)

		if (name)
			console.log(name.trim(), own.replace(/[ ,\t]/g, ''))
	}
}

main().catch((error) => {
	console.error(String(error))
	process.exit(1)
})
