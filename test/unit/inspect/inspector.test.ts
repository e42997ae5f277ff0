import { readFileSync } from 'node:fs'
import { WireInspector, type WireEvent } from '../../../src/inspect/inspector.js'
import { readRecording, recordingHead, recordingLine, replay } from '../../../src/inspect/recording.js'
import { DEFAULT_LIMITS } from '../../../src/limits.js'

/** A ping and three calls of an OTP 25 node, the last answered with 70,000 bytes, recorded with `beampeer inspect --record`. */
const pieces = readRecording(readFileSync('test/vectors/session-otp25.wire', 'utf8'))

const SESSION = [
  '→ name js@127.0.0.1',
  '← status ok',
  '← challenge of app@127.0.0.1',
  '→ challenge reply',
  '← challenge ack',
  '→ monitor from <0.9.0>',
  '→ regSend from <0.9.0>',
  '← send from <0.61.0>',
  '→ demonitor from <0.9.0>',
  ...[87, 88, 89].flatMap((id) => [
    '→ spawnRequest ref #Ref',
    '← spawnReply ref #Ref',
    `← monitorExit from <0.${id}.0>`,
  ]),
]

function line({ from, text }: WireEvent): string {
  return `${from === 'initiator' ? '→' : '←'} ${text}`
}

function inspect(chunks: readonly { from: WireEvent['from']; bytes: Uint8Array }[]): WireEvent[] {
  const events: WireEvent[] = []
  const inspector = new WireInspector({ limits: DEFAULT_LIMITS, onEvent: (event) => void events.push(event) })
  for (const { from, bytes } of chunks) inspector.feed(from, bytes)
  return events
}

it('replays a recorded session: handshake, cached atoms, fragments', () => {
  const lines = replay(pieces, DEFAULT_LIMITS).map(line)
  expect(lines.map((text, i) => text.slice(0, SESSION[i]?.length))).toEqual(SESSION)
  expect(lines[10]).toContain('result <0.87.0>')
  expect(lines[9]).toContain('module erpc, function execute_call')
  // The second call says the same atoms by reference.
  expect(lines[12]).toMatch(/module erpc, function execute_call, .*lists,seq,\[1,3\]/)
  expect(lines[17]).toMatch(/return,<<1,2,3,4,5,.*… \(70\d{3} bytes\)$/)
  const shorter = replay(pieces, DEFAULT_LIMITS, 40).map(line)
  expect(shorter[17].length).toBeLessThan(250)
})

it('tells the same byte by byte, and of views into larger buffers', () => {
  const whole = inspect(pieces)
  const small = pieces.flatMap(({ from, bytes }) =>
    bytes.length > 2_000
      ? [{ from, bytes }]
      : Array.from(bytes, (byte) => ({ from, bytes: Uint8Array.of(byte) })),
  )
  expect(inspect(small)).toEqual(whole)
  const offset = pieces.map(({ from, bytes }) => {
    const larger = new Uint8Array(bytes.length + 7)
    larger.set(bytes, 3)
    return { from, bytes: larger.subarray(3, 3 + bytes.length) }
  })
  expect(inspect(offset)).toEqual(whole)
})

it('keeps neither challenges nor digests, and leaves what passes as it is', () => {
  const secret = new Uint8Array(23).fill(0xee)
  secret.set([0, 21, 114])
  const ack = new Uint8Array(19).fill(0xdd)
  ack.set([0, 17, 97])
  const challenge = new Uint8Array(pieces[2].bytes)
  challenge.set([0xcc, 0xcc, 0xcc, 0xcc], 2 + 9)
  const kept: number[] = []
  const events: WireEvent[] = []
  const inspector = new WireInspector({
    limits: DEFAULT_LIMITS,
    onEvent: (event) => void events.push(event),
    onBytes: (_from, bytes) => void kept.push(...bytes),
  })
  // As a socket gives them: slices of a Buffer are views.
  const [first, second, third] = [Buffer.from(challenge), Buffer.from(secret), Buffer.from(ack)]
  inspector.feed('acceptor', first)
  inspector.feed('initiator', second)
  inspector.feed('acceptor', third)
  expect(kept.length).toBe(challenge.length + secret.length + ack.length)
  expect([0xcc, 0xdd, 0xee].map((byte) => kept.includes(byte))).toEqual([false, false, false])
  expect([first.includes(0xcc), second.includes(0xee), third.includes(0xdd)]).toEqual([true, true, true])
  expect(events.map(({ text }) => /hidden/.test(text))).toEqual([true, true, true])
})

it('what it cannot read is told once, and the other direction goes on', () => {
  const bad = { from: 'initiator' as const, bytes: Uint8Array.of(0, 0, 0, 2, 9, 9) }
  const [handshake, rest] = [pieces.slice(0, 5), pieces.slice(5)]
  const events = inspect([...handshake, bad, bad, ...rest])
  const errors = events.filter(({ type }) => type === 'error')
  expect(errors).toEqual([
    {
      from: 'initiator',
      type: 'error',
      text: expect.stringContaining('cannot be read any further') as unknown,
    },
  ])
  expect(events.filter(({ from, type }) => from === 'acceptor' && type === 'signal')).toHaveLength(7)
  expect(events.filter(({ from, type }) => from === 'initiator' && type === 'signal')).toHaveLength(0)
})

it('ticks are events', () => {
  const tick = { from: 'acceptor' as const, bytes: new Uint8Array(4) }
  expect(inspect([...pieces, tick]).at(-1)).toEqual({ from: 'acceptor', type: 'tick', text: 'tick' })
})

it('which side ended the connection is told last, live and of its recording', () => {
  const end = { ms: 99, from: 'acceptor' as const, bytes: new Uint8Array(0), closed: true as const }
  const text = [recordingHead(), ...[...pieces, end].map(recordingLine)].join('\n')
  expect(readRecording(text).at(-1)).toMatchObject({ from: 'acceptor', closed: true })
  const events = replay(readRecording(text), DEFAULT_LIMITS)
  expect(events.slice(0, -1)).toEqual(replay(pieces, DEFAULT_LIMITS))
  expect(events.at(-1)).toEqual({
    ms: 99,
    from: 'acceptor',
    type: 'closed',
    text: 'connection closed by the node it connected to',
  })
})

it('reads back what it writes, and nothing else', () => {
  const [, piece] = pieces
  expect(readRecording(`${recordingHead()}\n${recordingLine(piece)}\n`)).toEqual([piece])
  for (const wrong of ['', 'x', '{"beampeer":"wire","version":2}']) {
    expect(() => readRecording(wrong)).toThrow(
      expect.objectContaining({ code: 'DIST_BAD_RECORDING' }) as Error,
    )
  }
  for (const wrong of [
    'x',
    'null',
    '{}',
    '{"ms":1,"from":"nobody","hex":""}',
    '{"ms":1,"from":"acceptor","hex":"0"}',
    '{"ms":1,"from":"acceptor","hex":"","closed":1}',
  ]) {
    expect(() => readRecording(`${recordingHead()}\n${wrong}`)).toThrow('line 2 of the recording is no piece')
  }
})
