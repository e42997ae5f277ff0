/** Looking on at real connections: what is shown, what a recording keeps, and that it replays. */
import { readFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readRecording, replay, type RecordedPiece } from '../../src/inspect/recording.js'
import { startRelay } from '../../src/inspect/relay.js'
import type { WireEvent } from '../../src/inspect/inspector.js'
import { DEFAULT_LIMITS } from '../../src/limits.js'
import { closeAtEnd, cookie, startBeam, uniqueName, until } from '../support/beam.js'
import { cli, startCli } from '../support/cli.js'
import { startNode } from '../support/nodes.js'
import { otpCommand } from '../support/otp.js'
import { start } from '../support/process.js'

it('shows a connection that works as if nobody looked on, and replays it', async () => {
  const beam = await startBeam()
  const pieces: RecordedPiece[] = []
  const events: (WireEvent & { ms: number })[] = []
  const relay = await startRelay({
    to: { host: '127.0.0.1', port: await beam.distributionPort() },
    limits: DEFAULT_LIMITS,
    onEvent: ({ from, type, text, ms }) => void events.push({ from, type, text, ms }),
    onPiece: ({ from, bytes, ms }) => void pieces.push({ from, bytes, ms }),
  })
  closeAtEnd(() => relay.close())
  const node = await startNode({ resolve: () => ({ host: '127.0.0.1', port: relay.port }) })
  expect(await node.erpc.call(beam.name, 'lists', 'reverse', [[1, 2, 3]])).toEqual([3, 2, 1])
  const large = new Uint8Array(1_000_000).fill(9)
  expect(await node.erpc.call(beam.name, 'erlang', 'byte_size', [large])).toBe(1_000_000)
  node.disconnect(beam.name)
  const lines = events.map(({ from, text }) => `${from === 'initiator' ? '→' : '←'} ${text}`)
  await until(() => !node.nodes('connected').includes(beam.name), { what: 'the end' })

  expect(lines.slice(0, 5).map((line) => line.replace(/,.*/, ''))).toEqual([
    `→ name ${node.name}`,
    '← status ok',
    `← challenge of ${beam.name}`,
    '→ challenge reply',
    '← challenge ack',
  ])
  const signals = lines.slice(5)
  expect(signals.some((line) => /^→ spawnRequest .*args \[.*reverse.*\[\[1,2,3\]\]/.test(line))).toBe(true)
  expect(signals.some((line) => /^← monitorExit .*return,\[3,2,1\]/.test(line))).toBe(true)
  // The fragments of a long message are one signal.
  expect(signals.filter((line) => /\((1000\d{3}|10\d{5}) bytes\)/.test(line)).length).toBe(1)
  expect(events.filter(({ type }) => type === 'error')).toEqual([])

  const replayed = replay(pieces, DEFAULT_LIMITS)
  expect(replayed.map(({ from, type, text }) => ({ from, type, text }))).toEqual(
    events.map(({ from, type, text }) => ({ from, type, text })),
  )
  const kept = Buffer.concat(pieces.map(({ bytes }) => Buffer.from(bytes))).toString('latin1')
  expect([kept.includes(cookie), lines.some((line) => line.includes(cookie))]).toEqual([false, false])
})

it('is a command: live with a recording, and a recording later', async () => {
  const beam = await startBeam()
  const directory = mkdtempSync(join(tmpdir(), 'beampeer-inspect-'))
  closeAtEnd(() => rmSync(directory, { recursive: true }))
  const file = join(directory, 'session.wire')
  const live = await startCli(['inspect', beam.name, '--record', file], {
    env: { ERL_EPMD_PORT: String(beam.epmdPort) },
  })
  const ready = await live.waitForLine(/^ready (\S+) (\d+)$/m)
  expect(ready[1]).toBe(beam.name)
  const node = await startNode({ resolve: () => ({ host: '127.0.0.1', port: Number(ready[2]) }) })
  expect(await node.erpc.call(beam.name, 'erlang', 'abs', [-7])).toBe(7)
  await live.waitForLine(/← monitorExit .*return,7/)
  live.kill('SIGTERM')
  await live.exit
  const recorded = readRecording(readFileSync(file, 'utf8'))
  expect(replay(recorded, DEFAULT_LIMITS).length).toBeGreaterThan(6)
  const later = await cli(['inspect', file])
  expect(later).toMatchObject({ code: 0, stderr: '' })
  expect(later.stdout).toMatch(/→ spawnRequest .*abs.*\n[^]*← monitorExit .*return,7/)
  expect(later.stdout).not.toContain(cookie)
})

it('the recipe of the help and the docs: a shell that comes through the relay', async () => {
  const { stdout: help } = await cli(['inspect', '--help'])
  const recipe = /^ *(erl -name .*)$/m.exec(help)?.[1] ?? ''
  expect(readFileSync('docs/cli.md', 'utf8')).toContain(`\n${recipe.replace('<port>', 'PORT')}\n`)

  const beam = await startBeam()
  const env = { ERL_EPMD_PORT: String(beam.epmdPort), TERM: 'xterm', HOME: '/tmp' }
  const live = await startCli(['inspect', beam.name], { env })
  const [, , port = ''] = await live.waitForLine(/^ready (\S+) (\d+)$/m)
  const { command, args } = otpCommand('erl')
  const own = recipe
    .replace('<port>', port)
    .replace('b@host', uniqueName('b'))
    .replace('app@host', beam.name)
    .replace(/^erl/, [command, ...args].join(' '))
  const shell = await start('script', ['-qefc', `${own} -setcookie ${cookie}`, '/dev/null'], {
    interactive: true,
    env,
  })
  await shell.stdout.waitFor(new RegExp(`\\(${beam.name}\\)1>`))
  await live.waitForLine(/← challenge ack/)
  // Ctrl-G and q: out of the shell, which leaves the other node alone.
  shell.write('\x07')
  await shell.stdout.waitFor(/-->/)
  shell.write('q\r')
  await shell.exit
  live.kill('SIGTERM')
  expect(await live.exit).toEqual({ code: 0, signal: null })
})

interface JsonLine {
  ms: number
  connection?: number
  from: string
  type: string
  text: string
}

it('--json: an object in each line, live with its connection and of a recording', async () => {
  const beam = await startBeam()
  const directory = mkdtempSync(join(tmpdir(), 'beampeer-inspect-'))
  closeAtEnd(() => rmSync(directory, { recursive: true }))
  const file = join(directory, 'session.wire')
  const live = await startCli(['inspect', beam.name, '--json', '--record', file], {
    env: { ERL_EPMD_PORT: String(beam.epmdPort) },
  })
  // Whom to connect to is no event: the ready line is as it is without --json.
  const [, , port] = await live.waitForLine(/^ready (\S+) (\d+)$/m)
  const connect = async (answer: number) => {
    const node = await startNode({ resolve: () => ({ host: '127.0.0.1', port: Number(port) }) })
    expect(await node.erpc.call(beam.name, 'erlang', 'abs', [-answer])).toBe(answer)
    await live.waitForLine(new RegExp(`^\\{.*"text":"monitorExit .*return,${answer}\\b`, 'm'))
    return node
  }
  const first = await connect(7)
  await connect(8)
  live.kill('SIGTERM')
  expect(await live.exit).toEqual({ code: 0, signal: null })
  const lines = (text: string) =>
    text
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('ready '))
      .map((line) => JSON.parse(line) as JsonLine)
  const seen = lines(live.stdout.all().join('\n'))
  expect(seen[0]).toEqual({
    ms: expect.any(Number) as number,
    connection: 1,
    from: 'initiator',
    type: 'message',
    text: expect.stringContaining(first.name) as string,
  })
  expect(new Set(seen.map(({ connection }) => connection))).toEqual(new Set([1, 2]))
  expect(new Set(seen.map(({ from }) => from))).toEqual(new Set(['initiator', 'acceptor']))
  expect(
    seen.filter(({ type, text }) => type === 'signal' && /^spawnRequest .*\[-7\]/.test(text)).length,
  ).toBe(1)
  // Each connection has a recording of its own.
  const later = await cli(['inspect', file, '--json'])
  expect(later).toMatchObject({ code: 0, stderr: '' })
  const ofFirst = seen.filter(({ connection }) => connection === 1)
  // Live, the time is that of the event, later that of the bytes.
  expect(lines(later.stdout)).toEqual(
    ofFirst.map(({ from, type, text }) => ({ ms: expect.any(Number) as number, from, type, text })),
  )
})
