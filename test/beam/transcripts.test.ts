/** The terminal sessions in docs/phoenix.md and docs/scaling.md: of the PubSub example and the pool example. */
import { build } from '../support/cli.js'
import { run } from '../support/process.js'

test('the sessions in the documents are what happens', async () => {
  build()
  const { code, stderr } = await run(process.execPath, ['scripts/transcripts.mjs', '--check'])
  expect(stderr).toBe('')
  expect(code).toBe(0)
})
