import { readFileSync } from 'node:fs'
import { ArgumentError, EpmdError, HandshakeError, NodeError } from '../../../src/errors.js'
import { HINTS } from '../../../src/cli/hints.js'
import { watchStreams } from '../../../src/cli/output.js'
import { fail } from '../../../src/cli/report.js'

beforeAll(watchStreams)

/** What `fail` writes to standard error, and the exit status that it sets. */
function report(error: unknown): { text: string; status: unknown } {
  let text = ''
  const write = jest.spyOn(process.stderr, 'write').mockImplementation((chunk) => {
    text += String(chunk)
    return true
  })
  const before = process.exitCode
  try {
    fail(error)
    return { text, status: process.exitCode }
  } finally {
    process.exitCode = before
    write.mockRestore()
  }
}

test('an error of beampeer: message, code, hint; status 1', () => {
  expect(report(new NodeError('NODE_NOT_FOUND', 'there is no node a@b'))).toEqual({
    text: 'beampeer: there is no node a@b [NODE_NOT_FOUND]\n  `beampeer names HOST` lists the nodes that the EPMD of a host knows.\n',
    status: 1,
  })
})

test('causes that say something new are told, and the innermost hint is given', () => {
  const refused = new Error('connect ECONNREFUSED')
  const epmd = new EpmdError('EPMD_UNREACHABLE', 'no EPMD at x: connect ECONNREFUSED', { cause: refused })
  const { text } = report(new NodeError('RPC_NOCONNECTION', 'the call failed: noconnection', { cause: epmd }))
  expect(text).toMatch(
    /^beampeer: the call failed: noconnection \[RPC_NOCONNECTION\]\n {2}because: no EPMD at x: .*\n {2}Is the host right/,
  )
  expect(text.match(/because/g)).toHaveLength(1)
})

test('a code without a hint, and what is no error of beampeer', () => {
  expect(report(new ArgumentError('BAD_ARGUMENT', 'no')).text).toBe('beampeer: no [BAD_ARGUMENT]\n')
  expect(report(new Error('oops'))).toEqual({ text: 'beampeer: oops\n', status: 1 })
  expect(report('text').text).toBe('beampeer: text\n')
})

test('a cause that leads back to itself ends the report', () => {
  const error = new HandshakeError('HANDSHAKE_CLOSED', 'closed')
  ;(error as { cause?: unknown }).cause = error
  expect(report(error).text).toMatch(/^beampeer: closed \[HANDSHAKE_CLOSED\]\n {2}The node hung up/)
})

test('every hint is for a code that docs/errors.md has', () => {
  const codes = readFileSync('docs/errors.md', 'utf8').match(/^### .*/gm) ?? []
  for (const [code] of HINTS)
    expect([code, codes.some((line) => line.startsWith(`### ${code}`))]).toEqual([code, true])
})

test('what others wrote into a message is one line of the report, or indented', () => {
  const { text } = report(new NodeError('NODE_NOT_FOUND', 'no node a\u001b[31m\nbeampeer: all is well'))
  expect(text).toMatch(/^beampeer: no node a\\x\{1b\}\[31m\n {4}beampeer: all is well \[NODE_NOT_FOUND\]\n/)
})
