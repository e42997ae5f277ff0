// node scripts/count-tests.mjs REPORT STATUS [SECOND-REPORT SECOND-STATUS]
// Prints `<passed> <failed>` of jest's JSON report. Skipped tests and test files that could not be run count as failed,
// and so does an exit status that the reports do not explain. With a second report, of the failed files run again,
// those files count as they ended there. What failed, and what passed only then (it is flaky), is named on stderr, a
// line each with the first line of its message.
//
// node scripts/count-tests.mjs --failed REPORT
// Prints the files that failed, a line each.
import { readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { stripVTControlCharacters } from 'node:util'

const read = (file) => JSON.parse(readFileSync(file, 'utf8'))
const failedFiles = (report) => report.testResults.filter((file) => file.status === 'failed')

if (process.argv[2] === '--failed') {
  for (const file of failedFiles(read(process.argv[3]))) console.log(file.name)
  process.exit()
}

// A test that was skipped has no message.
const firstLine = (text = 'skipped') => stripVTControlCharacters(text).trim().split('\n')[0]

function failures(file) {
  const tests = file.assertionResults.filter((test) => test.status !== 'passed')
  const name = relative(process.cwd(), file.name)
  if (tests.length === 0) return file.status === 'failed' ? [`${name}: ${firstLine(file.message)}`] : []
  return tests.map((test) => `${name}: ${test.fullName}: ${firstLine(test.failureMessages[0])}`)
}

const [, , first, status, second, secondStatus] = process.argv
const report = read(first)
const again = second === undefined ? undefined : read(second)
const rerun = new Map((again?.testResults ?? []).map((file) => [file.name, file]))

let passed = 0
let failed = 0
for (const original of report.testResults) {
  const file = rerun.get(original.name) ?? original
  const tests = file.assertionResults
  const ok = tests.filter((test) => test.status === 'passed').length
  passed += ok
  // A file that could not be run has no tests to count, and one whose clean-up failed none that failed.
  failed += Math.max(tests.length - ok, file.status === 'failed' ? 1 : 0)
  // Of a flaky file, what failed first says what to look for.
  const flaky = original.status === 'failed' && file.status !== 'failed'
  for (const line of failures(flaky ? original : file)) console.error(flaky ? `FLAKY: ${line}` : line)
}
if (failed === 0 && ((secondStatus ?? status) !== '0' || passed === 0)) failed = 1
console.log(`${passed} ${failed}`)
