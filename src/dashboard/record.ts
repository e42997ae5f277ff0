/**
 * Keeps what a dashboard shows in a file. What goes wrong with the file (a full disk, one that hangs, the limit of its
 * size) stops the recording and nothing else; the file then ends with a whole frame where the disk lets it.
 */
import { open, stat, type FileHandle } from 'node:fs/promises'
import { BeampeerError } from '../errors.js'
import type { Limits } from '../limits.js'
import { VERSION } from '../cli/version.js'
import type { NodeState, RecordingState, ViewRequest } from './protocol.js'
import { encodeFrame, RECORDING_FORMAT, RECORDING_VERSION, type RecordedFrame } from './record-format.js'
import { nodeDelta } from './node-delta.js'
import type { DashboardSource, ViewValue } from './source.js'

/** Time between two frames with all states: what a reader must go through at most to begin somewhere. */
const STATES_EVERY_MS = 60_000
const FILE_MODE = 0o600

type RecordLimits = Pick<Limits, 'maxRecordingBytes' | 'maxRecordingQueuedBytes' | 'maxRecordingFrameBytes'>

export interface RecorderOptions {
  readonly file: string
  readonly source: DashboardSource
  readonly limits: RecordLimits
  /** The recording stopped by itself. */
  onStopped(state: RecordingState): void
}

export class Recorder {
  readonly #options: RecorderOptions
  readonly #handle: FileHandle
  readonly #told = new Map<string, NodeState>()
  readonly #unlisten: () => void
  #queue: Uint8Array[] = []
  #queuedBytes = 0
  #writtenBytes = 0
  #writing: Promise<void> | undefined
  #statesAt = -Infinity
  #at = -Infinity
  #error: string | undefined
  #closed = false

  /**
   * Creates the file, for its owner only. One that is there already is left alone.
   * @throws BeampeerError `DASHBOARD_RECORDING_FAILED`
   */
  static async create(options: RecorderOptions): Promise<Recorder> {
    const { file } = options
    try {
      // A device or a pipe is no file that would be lost.
      const isThere = await stat(file).then(
        (found) => !found.isFile(),
        () => false,
      )
      return new Recorder(options, await open(file, isThere ? 'w' : 'wx', FILE_MODE))
    } catch (cause) {
      const why =
        (cause as NodeJS.ErrnoException).code === 'EEXIST'
          ? 'there is such a file already'
          : (cause as Error).message
      throw new BeampeerError('DASHBOARD_RECORDING_FAILED', `cannot record to ${file}: ${why}`, { cause })
    }
  }

  private constructor(options: RecorderOptions, handle: FileHandle) {
    this.#options = options
    this.#handle = handle
    const { fleet, intervalMs } = options.source
    this.#write({
      type: 'head',
      at: this.#now(),
      format: RECORDING_FORMAT,
      version: RECORDING_VERSION,
      beampeerVersion: VERSION,
      intervalMs,
    })
    this.#writeStates()
    this.#unlisten = fleet.listen({
      changed: (node) => this.#changed(node),
      event: (event) => this.#write({ type: 'event', at: this.#now(), event }),
      reset: () => this.#writeStates(),
    })
  }

  get state(): RecordingState {
    const state = { file: this.#options.file, bytes: this.#writtenBytes + this.#queuedBytes }
    return this.#error === undefined ? state : { ...state, error: this.#error }
  }

  view(request: ViewRequest, value: ViewValue): void {
    this.#write({ type: 'view', at: this.#now(), request, value })
  }

  /** Writes what waits, and ends. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#unlisten()
    while (this.#writing !== undefined) await this.#writing
    if (this.#error === undefined) await this.#handle.close()
  }

  #now(): number {
    return (this.#at = Math.max(this.#at, Date.now()))
  }

  #changed(node: string): void {
    const state = this.#options.source.fleet.states.get(node)
    const delta =
      state === undefined ? { node, removed: true as const } : nodeDelta(this.#told.get(node), state)
    if (state === undefined) this.#told.delete(node)
    else this.#told.set(node, state)
    if (delta !== undefined) this.#write({ type: 'status', at: this.#now(), node: delta })
    if (this.#at - this.#statesAt >= STATES_EVERY_MS) this.#writeStates()
  }

  #writeStates(): void {
    const { states } = this.#options.source.fleet
    this.#statesAt = this.#now()
    this.#told.clear()
    for (const [node, state] of states) this.#told.set(node, state)
    this.#write({ type: 'states', at: this.#statesAt, nodes: [...states.values()] })
  }

  #write(frame: RecordedFrame): void {
    if (this.#closed || this.#error !== undefined) return
    const { maxRecordingBytes, maxRecordingQueuedBytes, maxRecordingFrameBytes } = this.#options.limits
    const bytes = encodeFrame(frame)
    if (bytes.length > maxRecordingFrameBytes) return
    if (this.#writtenBytes + this.#queuedBytes + bytes.length > maxRecordingBytes)
      return this.#stop(`the file has reached its limit of ${maxRecordingBytes} bytes`)
    if (this.#queuedBytes + bytes.length > maxRecordingQueuedBytes)
      return this.#stop(`the disk is too slow: ${this.#queuedBytes} bytes wait for it`)
    this.#queue.push(bytes)
    this.#queuedBytes += bytes.length
    this.#writing ??= this.#drain()
  }

  async #drain(): Promise<void> {
    try {
      while (this.#queue.length > 0 && this.#error === undefined) {
        const bytes = Buffer.concat(this.#queue)
        this.#queue = []
        await this.#writeWhole(bytes)
        this.#writtenBytes += bytes.length
        this.#queuedBytes -= bytes.length
      }
    } catch (error) {
      this.#stop((error as Error).message)
    }
    if (this.#error !== undefined) await this.#abandon()
    this.#writing = undefined
  }

  async #writeWhole(bytes: Buffer): Promise<void> {
    for (let from = 0; from < bytes.length;) {
      const { bytesWritten } = await this.#handle.write(bytes, from)
      from += bytesWritten
    }
  }

  #stop(error: string): void {
    this.#error = error
    this.#unlisten?.()
    this.#queue = []
    this.#queuedBytes = 0
    this.#writing ??= this.#drain()
    this.#options.onStopped(this.state)
  }

  /** What was written of the last frames goes; a device cannot be cut. */
  async #abandon(): Promise<void> {
    await this.#handle.truncate(this.#writtenBytes).catch(() => undefined)
    await this.#handle.close().catch(() => undefined)
  }
}
