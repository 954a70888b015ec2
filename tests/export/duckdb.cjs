// SPDX-License-Identifier: GPL-2.0-only
// duckdb.cjs DIR SQL: run SQL with the DuckDB that npm put into DIR, and print each row as a line, its columns with tabs between.
'use strict'
const { DuckDBInstance } = require(process.argv[2] + '/duckdb/node_modules/@duckdb/node-api')

async function main() {
	const connection = await (await DuckDBInstance.create(':memory:')).connect()
	const reader = await connection.runAndReadAll(process.argv[3])

	for (const row of reader.getRows())
		console.log(row.join('\t'))
}

main().catch((error) => {
	console.error(String(error))
	process.exit(1)
})
