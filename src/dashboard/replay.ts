/**
 * A dashboard of what was: plays a recording, at its own speed or another, from any moment on. The whole file is gone
 * through once at the start, for the histories and an index; frames are then read as they are shown.
 */
import { BeampeerError } from '../errors.js'
import { DEFAULT_LIMITS, type Limits } from '../index.js'
import { Fleet } from './fleet.js'
import type { NodeHistory } from './history.js'
import { changedNodes } from './mirror.js'
import type { Control, NodeState, ReplayState, ViewRequest } from './protocol.js'
import { RecordingFile, type FrameReader, type PlacedFrame } from './recording-reader.js'
import type { TimelineEvent } from './samples.js'
import type { DashboardSource, ViewValue } from './source.js'
import { keyOf } from './views.js'

/** Times real time. */
const SPEEDS: readonly number[] = [1, 2, 5, 10, 30, 60, 300]
/** Between two tellings of where the replay is. */
const TOLD_EVERY_MS = 500
/** Tellings of how far the reading at the start is. */
const PROGRESS_STEPS = 20
/** No more often are frames shown, whatever the speed. */
const MIN_STEP_MS = 20

/** Places in the file by time. */
interface Places {
  readonly at: number[]
  readonly offset: number[]
}

interface Index {
  readonly from: number
  readonly to: number
  readonly states: Places
  readonly views: ReadonlyMap<string, Places>
  readonly events: readonly { readonly at: number; readonly event: TimelineEvent }[]
  readonly histories: ReadonlyMap<string, NodeHistory>
}

export interface ReplayOptions {
  /** Times real time; default 1. */
  speed?: number
  /** Stand at the first moment; default false. */
  paused?: boolean
  limits?: Partial<Limits>
  /** While the file is read at the start: the share that has been, up to 1. */
  onProgress?: (share: number) => void
}

export class Replay implements DashboardSource {
  readonly fleet: Fleet
  readonly intervalMs: number
  readonly replay = {
    state: () => this.#state(),
    control: (control: Control) => this.control(control),
    listen: (listener: () => void) => {
      this.#listeners.add(listener)
      return () => void this.#listeners.delete(listener)
    },
  }
  readonly #file: RecordingFile
  readonly #index: Index
  readonly #listeners = new Set<() => void>()
  #reader: FrameReader
  #next: PlacedFrame | undefined
  #position: number
  /** Where and when (monotonic) playing began to go on. */
  #since = { position: 0, clock: 0 }
  #speed = 1
  #paused = true
  #timer: ReturnType<typeof setTimeout> | undefined
  #work: Promise<void> = Promise.resolve()
  #closed = false

  /**
   * Reads a recording; it plays from its first moment.
   * @throws BeampeerError `DASHBOARD_BAD_RECORDING`; ArgumentError `BAD_OPTION`
   */
  static async open(file: string, options: ReplayOptions = {}): Promise<Replay> {
    const limits = { ...DEFAULT_LIMITS, ...options.limits }
    const recording = await RecordingFile.open(file, limits)
    try {
      const replay = new Replay(recording, await readIndex(recording, limits, options.onProgress), limits)
      const { speed = 1, paused = false } = options
      await replay.control({ position: replay.now(), speed, paused })
      return replay
    } catch (error) {
      await recording.close()
      throw error
    }
  }

  private constructor(file: RecordingFile, index: Index, limits: Limits) {
    this.#file = file
    this.#index = index
    this.#reader = file.from(0)
    this.#position = index.from
    this.intervalMs = file.head.intervalMs
    this.fleet = new Fleet(limits, false)
    for (const [node, history] of index.histories) this.fleet.adopt(node, history)
  }

  now(): number {
    return this.#position
  }

  /**
   * The value that the view had at this moment of the recording.
   * @throws BeampeerError `DASHBOARD_NOT_RECORDED`
   */
  async view(request: ViewRequest): Promise<ViewValue> {
    const places = this.#index.views.get(keyOf(request))
    const place = places === undefined ? -1 : lastBefore(places.at, this.#position)
    const found =
      place < 0 ? undefined : await this.#file.from((places as Places).offset[place] as number).next()
    if (found?.frame.type !== 'view')
      throw new BeampeerError(
        'DASHBOARD_NOT_RECORDED',
        'nobody looked at this while it was recorded: a recording has the views that were open',
      )
    return found.frame.value
  }

  /** Pauses, goes on, sets the speed, goes to a moment. Settles when it is so. */
  control(control: Control): Promise<void> {
    const { speed } = control
    if (speed !== undefined && !SPEEDS.includes(speed))
      return Promise.reject(
        new BeampeerError('DASHBOARD_BAD_MESSAGE', `the speeds of a replay are ${SPEEDS.join(', ')}`),
      )
    return this.#inTurn(async () => {
      if (control.position !== undefined) await this.#seek(control.position)
      if (control.paused !== undefined) this.#paused = control.paused
      if (speed !== undefined) this.#speed = speed
      this.#goOn()
      this.#tell()
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await this.#work
    await this.#file.close()
  }

  #state(): ReplayState {
    return {
      position: this.#position,
      from: this.#index.from,
      to: this.#index.to,
      speed: this.#speed,
      speeds: SPEEDS,
      paused: this.#paused,
      ended: this.#isEnded,
    }
  }

  get #isEnded(): boolean {
    return this.#next === undefined && this.#position >= this.#index.to
  }

  /** One thing at a time: what reads the file must not meet another. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#work.then(() => (this.#closed ? undefined : work()))
    this.#work = done.catch(() => undefined)
    return done
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener()
  }

  // --- playing ---

  /** From where it is, from now on. */
  #goOn(): void {
    clearTimeout(this.#timer)
    this.#since = { position: this.#position, clock: performance.now() }
    // At its end it stands, as players do: who goes back from there looks at that moment, until it is to play.
    this.#paused ||= this.#isEnded
    if (this.#paused || this.#closed) return
    this.#timer = setTimeout(() => void this.#inTurn(() => this.#step()), this.#delayMs())
  }

  /** Until the next frame, or the next telling. */
  #delayMs(): number {
    const untilNext = this.#next === undefined ? 0 : (this.#next.frame.at - this.#position) / this.#speed
    return Math.min(TOLD_EVERY_MS, Math.max(MIN_STEP_MS, untilNext))
  }

  async #step(): Promise<void> {
    const { position, clock } = this.#since
    const to = Math.min(this.#index.to, position + (performance.now() - clock) * this.#speed)
    for (; this.#next !== undefined && this.#next.frame.at <= to; this.#next = await this.#reader.next())
      this.#show(this.#next)
    this.#position = to
    this.#paused ||= this.#isEnded
    this.#tell()
    if (this.#paused || this.#closed) return
    this.#timer = setTimeout(() => void this.#inTurn(() => this.#step()), this.#delayMs())
  }

  #show({ frame }: PlacedFrame): void {
    this.#position = Math.max(this.#position, frame.at)
    if (frame.type === 'event') this.fleet.event(frame.event)
    // The first may be a moment after the head, where a replay begins; later ones say what the changes said before.
    if (frame.type === 'states')
      for (const state of frame.nodes) if (!this.fleet.states.has(state.node)) this.fleet.put(state)
    if (frame.type !== 'status') return
    const { node } = frame.node
    const state = changedNodes(this.fleet.states, [frame.node]).get(node)
    if (state === undefined) this.fleet.remove(node)
    else this.fleet.put(state)
  }

  async #seek(wanted: number): Promise<void> {
    const { from, to, states: places, events } = this.#index
    const position = Math.min(to, Math.max(from, wanted))
    const place = lastBefore(places.at, position)
    this.#reader = this.#file.from(place < 0 ? 0 : (places.offset[place] as number))
    let states: ReadonlyMap<string, NodeState> = new Map()
    let next = await this.#reader.next()
    for (; next !== undefined && next.frame.at <= position; next = await this.#reader.next()) {
      const { frame } = next
      if (frame.type === 'states') states = new Map(frame.nodes.map((state) => [state.node, state]))
      else if (frame.type === 'status') states = changedNodes(states, [frame.node])
    }
    this.#next = next
    this.#position = position
    this.fleet.reset(
      [...states.values()],
      events.filter(({ at }) => at <= position).map(({ event }) => event),
    )
  }
}

/** Goes through the file once. */
async function readIndex(
  file: RecordingFile,
  limits: Limits,
  onProgress: (share: number) => void = () => undefined,
): Promise<Index> {
  const places: Places = { at: [], offset: [] }
  const views = new Map<string, Places>()
  const events: { at: number; event: TimelineEvent }[] = []
  const whole = new Fleet(limits)
  const histories = new Map<string, NodeHistory>()
  let to = file.head.at
  let told = 0
  const reader = file.from(0)
  for (let found = await reader.next(); found !== undefined; found = await reader.next()) {
    const { frame, offset } = found
    to = frame.at
    if (offset - told >= file.sizeBytes / PROGRESS_STEPS) onProgress((told = offset) / file.sizeBytes)
    if (frame.type === 'event') events.push({ at: frame.at, event: frame.event })
    else if (frame.type === 'states') {
      add(places, frame.at, offset)
      for (const state of frame.nodes) whole.put(state)
    } else if (frame.type === 'status') {
      const state = changedNodes(whole.states, [frame.node]).get(frame.node.node)
      if (state !== undefined) whole.put(state)
    } else if (frame.type === 'view') {
      const key = keyOf(frame.request)
      const known = views.get(key)
      if (known === undefined) views.set(key, { at: [frame.at], offset: [offset] })
      else add(known, frame.at, offset)
    }
  }
  onProgress(1)
  for (const node of whole.states.keys()) histories.set(node, whole.history(node) as NodeHistory)
  // Where there is something to see: the first states may be a moment after the head.
  const from = Math.min(to, places.at[0] ?? file.head.at)
  return { from, to, states: places, views, events, histories }
}

function add(places: Places, at: number, offset: number): void {
  places.at.push(at)
  places.offset.push(offset)
}

/** Index of the last number that is not above `limit`; -1 for none. */
function lastBefore(sorted: readonly number[], limit: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] as number) <= limit) low = middle + 1
    else high = middle
  }
  return low - 1
}
