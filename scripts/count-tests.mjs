// node scripts/count-tests.mjs REPORT STATUS [SECOND-REPORT SECOND-STATUS]
// Prints `<passed> <failed>` of jest's JSON report. Skipped tests and test files that could not be run count as failed,
// and so does an exit status that the reports do not explain. With a second report, of the failed files run again,
// those files count as they ended there, and a test that passed only then is named as flaky.
//
// node scripts/count-tests.mjs --failed REPORT
// Prints the files that failed, a line each.
import { readFileSync } from 'node:fs'

const read = (file) => JSON.parse(readFileSync(file, 'utf8'))
const failedFiles = (report) => report.testResults.filter((file) => file.status === 'failed')

if (process.argv[2] === '--failed') {
  for (const file of failedFiles(read(process.argv[3]))) console.log(file.name)
  process.exit()
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
  if (file === original || file.status === 'failed') continue
  const names = original.assertionResults
    .filter((test) => test.status === 'failed')
    .map((test) => test.fullName)
  console.error(
    `FLAKY, passed only when run again: ${original.name}: ${names.join('; ') || original.message}`,
  )
}
if (failed === 0 && ((secondStatus ?? status) !== '0' || passed === 0)) failed = 1
console.log(`${passed} ${failed}`)
