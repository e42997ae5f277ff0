/** The same scripts against a BEAM and against beampeer, compared term by term. */
import { ErlangNode } from '../../src/index.js'
import {
  closeAtEnd,
  cookie,
  defaultRelease,
  privateEpmd,
  startBeam,
  uniqueName,
  type Beam,
} from '../support/beam.js'
import { SCRIPT_HELPERS, SCRIPTS } from '../support/rex-scripts.js'
import { ERLANG_TARGET, makeTarget } from '../support/rex-target.js'

const QUIET = ['-kernel', 'logger_level', 'none']

// Older releases have no request-id collections, and lack functions that some scripts call.
const otp = Math.max(defaultRelease(), 25)

let driver: Beam
let oracle: Beam
let node: ErlangNode

beforeAll(async () => {
  driver = await startBeam({ otp, args: QUIET })
  oracle = await startBeam({ otp, hidden: true, args: QUIET })
  await driver.compile(SCRIPT_HELPERS)
  await oracle.compile(ERLANG_TARGET)
  await oracle.evalText('target:start_server()')
  node = await ErlangNode.start(uniqueName('js'), {
    cookie,
    epmd: { host: '127.0.0.1', port: await privateEpmd() },
    logger: {},
  })
  closeAtEnd(() => node.stop())
  makeTarget(node)
})

describe.each(Object.entries(SCRIPTS))('%s', (_about, scripts) => {
  test.each(scripts)('%s', async (script) => {
    const ask = (target: string) =>
      driver.evalText(`(fun(N) -> script:n(N, begin ${script} end) end)('${target}')`)
    const expected = await ask(oracle.name)
    expect(await ask(node.name)).toBe(expected)
    await driver.forget()
  })
})
