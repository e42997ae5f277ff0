/** Recording and replay: what was shown can be shown again, whatever happened to the file. */
import { readFile, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Fleet } from '../../../src/dashboard/fleet.js'
import { floats32, floats64, type NodeState, type ReplayState } from '../../../src/dashboard/protocol.js'
import { decodeFrame, encodeFrame, type RecordedFrame } from '../../../src/dashboard/record-format.js'
import { Recorder } from '../../../src/dashboard/record.js'
import { RecordingFile } from '../../../src/dashboard/recording-reader.js'
import { Replay } from '../../../src/dashboard/replay.js'
import type { DashboardSource } from '../../../src/dashboard/source.js'
import { DEFAULT_LIMITS, type Limits } from '../../../src/limits.js'
import { headAt, recordingOf, removeFolders, stateOf, temporaryFolder } from '../../support/dashboard.js'

const open: { close(): Promise<void> }[] = []

afterEach(async () => {
  for (const each of open.splice(0)) await each.close()
  await removeFolders()
})

function sourceOf(fleet: Fleet): DashboardSource {
  return {
    fleet,
    intervalMs: 1_000,
    now: () => Date.now(),
    view: () => Promise.reject(new Error('no views')),
    close: () => Promise.resolve(),
  }
}

async function recorder(file: string, fleet: Fleet, limits: Partial<Limits> = {}) {
  let stopped: () => void = () => undefined
  const untilStopped = new Promise<void>((resolve) => (stopped = resolve))
  const made = await Recorder.create({
    file,
    source: sourceOf(fleet),
    limits: { ...DEFAULT_LIMITS, ...limits },
    onStopped: () => stopped(),
  })
  open.push(made)
  return { recorder: made, untilStopped }
}

async function replayOf(file: string, options: Parameters<typeof Replay.open>[1] = { paused: true }) {
  const replay = await Replay.open(file, options)
  open.push(replay)
  return replay
}

/** As they come from a file: without what is undefined. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

async function framesOf(file: string): Promise<RecordedFrame[]> {
  const recording = await RecordingFile.open(file, DEFAULT_LIMITS)
  const frames: RecordedFrame[] = []
  const reader = recording.from(0)
  for (let next = await reader.next(); next !== undefined; next = await reader.next()) frames.push(next.frame)
  await recording.close()
  return frames
}

describe('a recording', () => {
  test('has what was there at its start, what changed, events, views and what went', async () => {
    const fleet = new Fleet(DEFAULT_LIMITS)
    fleet.put(stateOf('a@host', 1_000))
    const file = join(await temporaryFolder(), 'recording')
    const made = (await recorder(file, fleet)).recorder
    fleet.put(stateOf('a@host', 2_000, { runQueue: 5 }))
    fleet.put(stateOf('b@host', 2_000))
    fleet.event({ at: 2_500, type: 'nodedown', node: 'b@host', reason: 'net_tick_timeout' })
    fleet.remove('b@host')
    made.view({ kind: 'applications', node: 'a@host' }, { rows: [] })
    await made.close()
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    expect((await stat(file)).size).toBe(made.state.bytes)
    const frames = await framesOf(file)
    expect(frames).toMatchObject([
      { type: 'head', format: 'beampeer-dashboard', version: 1, intervalMs: 1_000 },
      { type: 'states', nodes: [{ node: 'a@host' }] },
      { type: 'status', node: { node: 'a@host', patch: { sample: { runQueue: 5 } } } },
      { type: 'status', node: { node: 'b@host', patch: { status: 'up' } } },
      { type: 'event', event: { reason: 'net_tick_timeout' } },
      { type: 'status', node: { node: 'b@host', removed: true } },
      { type: 'view', request: { kind: 'applications' }, value: { rows: [] } },
    ])
  })

  test('leaves a file alone that is there already, and says so', async () => {
    const file = join(await temporaryFolder(), 'precious')
    await writeFile(file, 'precious')
    await expect(recorder(file, new Fleet(DEFAULT_LIMITS))).rejects.toMatchObject({
      code: 'DASHBOARD_RECORDING_FAILED',
    })
    expect(await readFile(file, 'utf8')).toBe('precious')
    await expect(recorder('/nonexistent/file', new Fleet(DEFAULT_LIMITS))).rejects.toMatchObject({
      code: 'DASHBOARD_RECORDING_FAILED',
    })
  })

  test('a full disk stops it, and says why', async () => {
    const fleet = new Fleet(DEFAULT_LIMITS)
    const { recorder: made, untilStopped } = await recorder('/dev/full', fleet)
    await untilStopped
    expect(made.state).toMatchObject({ file: '/dev/full', error: expect.stringContaining('ENOSPC') })
    // Whatever comes after is no matter.
    fleet.put(stateOf('a@host', 1_000))
    await made.close()
  })

  test('its size has a limit: up to it all is there, past it nothing of what was too much', async () => {
    const folder = await temporaryFolder()
    const fleet = () => new Fleet(DEFAULT_LIMITS)
    const first = (await recorder(join(folder, 'first'), fleet())).recorder
    await first.close()
    const maxRecordingBytes = first.state.bytes
    const exact = (await recorder(join(folder, 'exact'), fleet(), { maxRecordingBytes })).recorder
    await exact.close()
    expect(exact.state.error).toBeUndefined()
    const nodes = fleet()
    const { recorder: past, untilStopped } = await recorder(join(folder, 'past'), nodes, {
      maxRecordingBytes,
    })
    nodes.put(stateOf('a@host', 1_000))
    await untilStopped
    await past.close()
    expect(past.state.error).toContain('limit')
    expect((await stat(join(folder, 'past'))).size).toBeLessThanOrEqual(maxRecordingBytes)
  })

  test('a disk that is too slow stops it instead of filling memory', async () => {
    const fleet = new Fleet(DEFAULT_LIMITS)
    const file = join(await temporaryFolder(), 'slow')
    const { recorder: made, untilStopped } = await recorder(file, fleet, { maxRecordingQueuedBytes: 10_000 })
    // Nothing is written before the event loop turns.
    for (let at = 0; made.state.error === undefined; at++) fleet.put(stateOf(`n${at % 50}@host`, at))
    await untilStopped
    expect(made.state.error).toContain('too slow')
  })

  test('a frame past its limit is left out', async () => {
    const fleet = new Fleet(DEFAULT_LIMITS)
    const file = join(await temporaryFolder(), 'frames')
    const made = (await recorder(file, fleet, { maxRecordingFrameBytes: 1_000 })).recorder
    const view = (text: string) =>
      made.view({ kind: 'children', node: 'a@host', supervisor: text }, { children: [], total: 0 })
    view('x'.repeat(1_000))
    view('x')
    await made.close()
    expect((await framesOf(file)).filter(({ type }) => type === 'view')).toMatchObject([
      { request: { supervisor: 'x' } },
    ])
  })
})

/** A node for a minute and a half, with a fall in between. */
function story(): RecordedFrame[] {
  const frames: RecordedFrame[] = [headAt(1_000), { type: 'states', at: 1_000, nodes: [] }]
  let state: NodeState | undefined
  for (let second = 1; second <= 90; second++) {
    const at = second * 1_000
    const next: NodeState =
      second === 45
        ? { ...stateOf('a@host', at), status: 'down', reason: 'killed', since: at }
        : stateOf('a@host', at, { runQueue: second })
    frames.push({ type: 'status', at, node: { node: 'a@host', patch: { ...(plain(next) as object) } } })
    if (second === 45) frames.push({ type: 'event', at, event: { at, type: 'nodedown', node: 'a@host' } })
    if (second === 46) frames.push({ type: 'event', at, event: { at, type: 'nodeup', node: 'a@host' } })
    if (second % 10 === 0)
      frames.push({
        type: 'view',
        at,
        request: { kind: 'applications', node: 'a@host' },
        value: { rows: [{ name: `app${second}`, description: '', version: '', supervisor: undefined }] },
      })
    state = next
    if (second === 60) frames.push({ type: 'states', at, nodes: [plain(state) as NodeState] })
  }
  return frames
}

const runQueue = (replay: Replay) => replay.fleet.states.get('a@host')?.sample?.runQueue

describe('a replay', () => {
  test('goes to any moment, forwards and backwards', async () => {
    const replay = await replayOf(await recordingOf(story()))
    for (const second of [30, 10, 89, 62, 61, 60, 59, 1]) {
      await replay.control({ position: second * 1_000 })
      expect(runQueue(replay)).toBe(second)
      expect(replay.now()).toBe(second * 1_000)
    }
    await replay.control({ position: 45_500 })
    expect(replay.fleet.states.get('a@host')).toMatchObject({ status: 'down', reason: 'killed' })
    expect(replay.fleet.events(0, 100).events).toMatchObject([{ type: 'nodedown' }])
    await replay.control({ position: -5 })
    expect(replay.now()).toBe(1_000)
    await replay.control({ position: 1e12 })
    expect(replay.replay.state()).toMatchObject({ position: 90_000, from: 1_000, to: 90_000, ended: true })
    expect(replay.fleet.events(0, 100).events.length).toBe(2)
  })

  test('begins where there is something to see', async () => {
    const [, , ...rest] = story()
    const file = await recordingOf([
      headAt(900),
      { type: 'states', at: 901, nodes: [stateOf('b@host', 900)] },
      ...rest,
    ])
    const replay = await replayOf(file)
    expect([...replay.fleet.states.keys()]).toEqual(['b@host'])
    expect(replay.replay.state()).toMatchObject({ from: 901, position: 901 })
  })

  test('has the views that somebody looked at, as they were then', async () => {
    const replay = await replayOf(await recordingOf(story()))
    const view = async (second: number) => {
      await replay.control({ position: second * 1_000 })
      return replay.view({ node: 'a@host', kind: 'applications' })
    }
    expect(await view(35)).toMatchObject({ rows: [{ name: 'app30' }] })
    expect(await view(90)).toMatchObject({ rows: [{ name: 'app90' }] })
    await expect(view(9)).rejects.toMatchObject({ code: 'DASHBOARD_NOT_RECORDED' })
    await expect(replay.view({ kind: 'ets', node: 'a@host' })).rejects.toMatchObject({
      code: 'DASHBOARD_NOT_RECORDED',
    })
  })

  test('tells how far its reading at the start is', async () => {
    const shares: number[] = []
    await replayOf(await recordingOf(story()), {
      paused: true,
      onProgress: (share) => void shares.push(share),
    })
    expect(shares.length).toBeGreaterThan(10)
    expect(shares).toEqual([...shares].sort((a, b) => a - b))
    expect(shares.at(-1)).toBe(1)
  })

  test('has histories of its whole time from the start', async () => {
    const replay = await replayOf(await recordingOf(story()))
    const slice = replay.fleet
      .history('a@host')
      ?.slice('a@host', { columns: ['runQueue'], from: 0, to: 50_000, points: 1_000 })
    expect(floats64(slice?.at ?? new Uint8Array()).length).toBe(51)
    expect([...floats32(slice?.columns.runQueue ?? new Uint8Array())].slice(43, 47)).toEqual([44, 1, NaN, 46])
  })

  test('plays to its end at its speed, pauses, and goes on', async () => {
    const replay = await replayOf(await recordingOf(story()))
    const seen: number[] = []
    replay.fleet.listen({
      changed: () => void seen.push(runQueue(replay) ?? 0),
      event: () => undefined,
      reset: () => undefined,
    })
    const when = (wanted: (state: ReplayState) => boolean) =>
      new Promise<void>((resolve) => {
        const unlisten = replay.replay.listen(() => {
          if (!wanted(replay.replay.state())) return
          unlisten()
          resolve()
        })
      })
    const past20 = when(({ position }) => position > 20_000)
    await replay.control({ paused: false, speed: 300 })
    await past20
    await replay.control({ paused: true })
    const { position } = replay.replay.state()
    expect(runQueue(replay)).toBe(Math.floor(position / 1_000) === 45 ? 1 : Math.floor(position / 1_000))
    const ended = when((state) => state.ended)
    await replay.control({ paused: false })
    await ended
    expect(seen.filter((value) => value !== 1)).toEqual(
      Array.from({ length: 90 }, (_, second) => second + 1).filter((second) => second !== 45 && second !== 1),
    )
    // At the end it stands, and where it is put from there.
    expect(replay.replay.state().paused).toBe(true)
    await replay.control({ position: 1_000 })
    expect(replay.replay.state()).toMatchObject({ position: 1_000, paused: true, ended: false })
    await replay.control({ position: 90_000, paused: false })
    expect(replay.replay.state()).toMatchObject({ position: 90_000, paused: true, ended: true })
    await expect(replay.control({ speed: 7 })).rejects.toMatchObject({ code: 'DASHBOARD_BAD_MESSAGE' })
  })

  test('a torn end is left, wherever it is torn', async () => {
    const frames = story().slice(0, 6)
    const file = await recordingOf(frames)
    const whole = (await stat(file)).size
    const last = encodeFrame(frames[5] as RecordedFrame).length
    for (let cut = 1; cut <= last; cut++) {
      await truncate(file, whole - cut)
      expect((await framesOf(file)).length).toBe(5)
    }
  })

  test('a damaged frame ends it, and allocates nothing that its length claims', async () => {
    const frames = story().slice(0, 4)
    const bytes = Buffer.concat(frames.map(encodeFrame))
    const file = join(await temporaryFolder(), 'damaged')
    const claims = Buffer.from([0x7f, 0xff, 0xff, 0xff, 1, 2, 3])
    await writeFile(file, Buffer.concat([bytes, claims]))
    expect((await framesOf(file)).length).toBe(4)
    await writeFile(file, Buffer.concat([bytes, Buffer.from([0, 0, 0, 1, 0xc1]), bytes]))
    expect((await framesOf(file)).length).toBe(4)
  })

  test.each([
    ['an empty file', Buffer.alloc(0)],
    ['text', Buffer.from('{"beampeer":"wire","version":1}\n')],
    ['another version', Buffer.from(encodeFrame({ ...headAt(1), version: 2 } as RecordedFrame))],
    ['no head', Buffer.from(encodeFrame({ type: 'states', at: 1, nodes: [] }))],
  ])('%s is no recording', async (_what, bytes) => {
    const file = join(await temporaryFolder(), 'file')
    await writeFile(file, bytes)
    await expect(Replay.open(file)).rejects.toMatchObject({ code: 'DASHBOARD_BAD_RECORDING' })
  })

  test('a file that cannot be read is no recording either', async () => {
    await expect(Replay.open('/nonexistent')).rejects.toMatchObject({ code: 'DASHBOARD_BAD_RECORDING' })
    await expect(Replay.open(await temporaryFolder())).rejects.toMatchObject({
      code: 'DASHBOARD_BAD_RECORDING',
    })
  })

  test('frames that are none are undefined, not errors', () => {
    for (const value of [{ type: 'head' }, { type: 'other', at: 1 }, [1], 5])
      expect(decodeFrame(encodeFrame(value as never).subarray(4))).toBeUndefined()
  })
})
