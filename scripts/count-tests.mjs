// node scripts/count-tests.mjs REPORT STATUS
// Prints `<passed> <failed>` of jest's JSON report. Skipped tests and test files that could not be run count as failed,
// and so does an exit status that the report does not explain.
import { readFileSync } from 'node:fs'

const [, , file, status] = process.argv
const report = JSON.parse(readFileSync(file, 'utf8'))
const skipped = report.numPendingTests + report.numTodoTests
if (skipped > 0) console.error(`${skipped} tests were skipped: they count as failed`)
let failed = report.numFailedTests + report.numRuntimeErrorTestSuites + skipped
if (failed === 0 && (status !== '0' || report.numTotalTests === 0)) failed = 1
console.log(`${report.numPassedTests} ${failed}`)
