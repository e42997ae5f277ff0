/**
 * Views that pages watch: each is read as long as anybody watches it, once for all who watch the same, and the next time
 * only after the last answer. What is paused by all is not read.
 */
import { BeampeerError } from '../errors.js'
import { VIEW_INTERVAL_MS, type ErrorInfo, type ViewRequest } from './protocol.js'
import type { ViewValue } from './source.js'

export interface ViewListener {
  /** The view has another value, or the last reading failed. */
  changed(): void
}

/** A page's hold on a view. */
export interface ViewHandle {
  readonly value: ViewValue | undefined
  readonly error: ErrorInfo | undefined
  pause(paused: boolean): void
  stop(): void
}

export interface ViewsOptions {
  read(request: ViewRequest): Promise<ViewValue>
  /** Readings are no more often than this. */
  readonly minIntervalMs: number
  /** For a recording: each value that was read. */
  onValue?(request: ViewRequest, value: ViewValue): void
}

export class Views {
  readonly #options: ViewsOptions
  readonly #open = new Map<string, View>()

  constructor(options: ViewsOptions) {
    this.#options = options
  }

  /** Views that are read at present. */
  get size(): number {
    return this.#open.size
  }

  watch(request: ViewRequest, listener: ViewListener): ViewHandle {
    const key = keyOf(request)
    let view = this.#open.get(key)
    if (view === undefined) {
      view = new View(request, this.#options, () => void this.#open.delete(key))
      this.#open.set(key, view)
    }
    return view.add(listener)
  }

  /** Reads all again, or those of one node, not waiting for their time. */
  refresh(node?: string): void {
    for (const view of this.#open.values()) if (node === undefined || node === view.node) view.refresh()
  }

  close(): void {
    for (const view of [...this.#open.values()]) view.end()
  }
}

/** The same for requests of the same meaning, whatever order their keys came in. */
export function keyOf(request: ViewRequest): string {
  return JSON.stringify(Object.entries(request).sort(([a], [b]) => (a < b ? -1 : 1)))
}

class View {
  readonly #request: ViewRequest
  readonly #options: ViewsOptions
  readonly #onEnd: () => void
  /** Listeners, and whether each wants news. */
  readonly #listeners = new Map<ViewListener, boolean>()
  #value: ViewValue | undefined
  #error: ErrorInfo | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  #reading = false
  #again = false
  #readAt = -Infinity
  #ended = false

  constructor(request: ViewRequest, options: ViewsOptions, onEnd: () => void) {
    this.#request = request
    this.#options = options
    this.#onEnd = onEnd
  }

  add(listener: ViewListener): ViewHandle {
    this.#listeners.set(listener, true)
    this.#schedule()
    // What others have been told is there at once.
    if (this.#value !== undefined || this.#error !== undefined) listener.changed()
    const value = () => this.#value
    const error = () => this.#error
    return {
      get value() {
        return value()
      },
      get error() {
        return error()
      },
      pause: (paused) => {
        if (!this.#listeners.has(listener)) return
        this.#listeners.set(listener, !paused)
        this.#schedule()
      },
      stop: () => {
        this.#listeners.delete(listener)
        if (this.#listeners.size === 0) this.end()
        else this.#schedule()
      },
    }
  }

  get node(): string {
    return this.#request.node
  }

  refresh(): void {
    this.#readAt = -Infinity
    if (this.#reading) this.#again = true
    else this.#schedule()
  }

  end(): void {
    this.#ended = true
    clearTimeout(this.#timer)
    this.#onEnd()
  }

  get #wanted(): boolean {
    return !this.#ended && [...this.#listeners.values()].includes(true)
  }

  #schedule(): void {
    clearTimeout(this.#timer)
    if (this.#reading || !this.#wanted) return
    const intervalMs = Math.max(this.#options.minIntervalMs, VIEW_INTERVAL_MS[this.#request.kind])
    const delayMs = Math.max(0, this.#readAt + intervalMs - performance.now())
    this.#timer = setTimeout(() => void this.#read(), delayMs)
  }

  async #read(): Promise<void> {
    this.#reading = true
    this.#readAt = performance.now()
    try {
      const value = await this.#options.read(this.#request)
      this.#value = value
      this.#error = undefined
      if (!this.#ended) this.#options.onValue?.(this.#request, value)
    } catch (error) {
      this.#error = errorInfo(error)
    }
    this.#reading = false
    if (this.#ended) return
    if (this.#again) this.#readAt = -Infinity
    this.#again = false
    for (const [listener, wants] of [...this.#listeners]) if (wants) listener.changed()
    this.#schedule()
  }
}

/** What a page is told of an error. */
export function errorInfo(error: unknown): ErrorInfo {
  if (error instanceof BeampeerError) return { code: error.code, message: error.message }
  return { code: 'DASHBOARD_FAILED', message: error instanceof Error ? error.message : String(error) }
}
