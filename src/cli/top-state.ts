/** What `beampeer top` shows at the moment, and what keys do to it. Knows the probe, not the terminal. */
import type { DetailOptions, Probe, ProcessOrder, ProcessTable } from '../dashboard/index.js'
import type { OpenProcess } from './top-process.js'
import { fleetNodes, lastScroll, shownRows, sorted, type View } from './top-view.js'

const PROCESS_ROWS = 200
const ORDERS: Readonly<Record<string, ProcessOrder>> = { m: 'memory', r: 'reductions', l: 'messageQueueLen' }
/** How far keys move. */
const STEPS: Readonly<Record<string, (page: number) => number>> = {
  UP: () => -1,
  DOWN: () => 1,
  PAGE_UP: (page) => -page,
  PAGE_DOWN: (page) => page,
  HOME: () => -Infinity,
  END: () => Infinity,
}

export interface TopOptions {
  readonly probe: Probe
  readonly sort: ProcessOrder
  /** The node whose processes are shown first. */
  readonly node: string | undefined
  size(): { readonly width: number; readonly height: number }
  /** What is shown has changed. */
  changed(): void
  end(): void
}

export class TopState {
  readonly #options: TopOptions
  #node: string | undefined
  #by: ProcessOrder
  #filter = ''
  #typing = false
  #selected = 0
  #paused = false
  #table: ProcessTable | undefined
  #row = 0
  /** The process whose row stays selected wherever it goes; without one it is the row that stays. */
  #follows: string | undefined
  #process: OpenProcess | undefined
  #seen: Pick<View, 'statuses' | 'events'> = { statuses: [], events: [] }

  constructor(options: TopOptions) {
    this.#options = options
    this.#node = options.node
    this.#by = options.sort
  }

  get view(): View {
    const { probe, size } = this.#options
    if (!this.#paused) this.#seen = { statuses: probe.statuses(), events: [...probe.timeline()] }
    return {
      ...this.#seen,
      ...size(),
      node: this.#node,
      table: this.#table,
      row: this.#rowNow(),
      process: this.#process,
      by: this.#by,
      filter: this.#filter,
      typing: this.#typing,
      selected: this.#selected,
      paused: this.#paused,
    }
  }

  /** A node was polled, or something else happened. */
  polled(node: string | undefined): void {
    if (this.#paused) return
    if (node !== undefined && node === this.#node) this.refresh()
    else this.#options.changed()
  }

  /** Reads anew what is shown of a node. */
  refresh(): void {
    void (this.#process === undefined ? this.#readTable() : this.#readProcess()).then(this.#options.changed)
  }

  key(key: string): void {
    if (key === 'CTRL_C') return this.#options.end()
    if (this.#typing) this.#type(key)
    else if (key === 'q') return this.#options.end()
    else if (key === 'p') this.#paused = !this.#paused
    else if (STEPS[key] !== undefined) this.#move(STEPS[key])
    else if (this.#process !== undefined) this.#processKey(key)
    else if (key === '/') this.#typing = true
    else if (this.#node === undefined) this.#fleetKey(key)
    else this.#tableKey(key)
    this.#options.changed()
  }

  #type(key: string): void {
    if (key === 'ENTER' || key === 'ESCAPE') this.#typing = false
    if (key === 'ESCAPE') this.#filter = ''
    else if (key === 'BACKSPACE') this.#filter = this.#filter.slice(0, -1)
    else if (key.length === 1) this.#filter += key
  }

  #fleetKey(key: string): void {
    if (key === 'ENTER') this.#show(fleetNodes(this.view)[this.#selected])
  }

  #tableKey(key: string): void {
    const by = ORDERS[key]
    if (key === 'ESCAPE') this.#show(undefined)
    else if (key === 'ENTER') this.#open(shownRows(this.view)[this.#rowNow()]?.pid)
    else if (by !== undefined) {
      this.#by = by
      if (this.#paused) this.#table = this.#table && sorted(this.#table, by)
      else this.refresh()
    }
  }

  #processKey(key: string): void {
    if (key === 'ESCAPE') {
      this.#process = undefined
      this.refresh()
    } else if (key === 'd') void this.#ask('dictionary')
    else if (key === 's') void this.#ask('state')
  }

  #move(step: (page: number) => number): void {
    const by = step(Math.max(1, this.#options.size().height - 6))
    const moved = (at: number, last: number) => Math.max(0, Math.min(last, at + by))
    if (this.#process !== undefined)
      this.#process = { ...this.#process, scroll: moved(this.#process.scroll, lastScroll(this.view)) }
    else if (this.#node === undefined)
      this.#selected = moved(this.#selected, fleetNodes(this.view).length - 1)
    else {
      const rows = shownRows(this.view)
      this.#row = moved(this.#rowNow(), rows.length - 1)
      this.#follows = rows[this.#row]?.pid
    }
  }

  #rowNow(): number {
    const rows = shownRows({ table: this.#table, filter: this.#filter })
    const followed = rows.findIndex(({ pid }) => pid === this.#follows)
    return followed >= 0 ? followed : Math.max(0, Math.min(this.#row, rows.length - 1))
  }

  #show(node: string | undefined): void {
    this.#node = node
    this.#table = undefined
    this.#filter = ''
    this.#row = 0
    this.#follows = undefined
    this.refresh()
  }

  #open(pid: string | undefined): void {
    if (pid === undefined) return
    this.#follows = pid
    const unread = {
      detail: undefined,
      at: 0,
      reductionsRate: undefined,
      dictionary: undefined,
      state: undefined,
    }
    this.#process = { pid, ...unread, gone: false, scroll: 0 }
    void this.#readProcess(true).then(this.#options.changed)
  }

  async #readTable(): Promise<void> {
    const node = this.#node
    if (node === undefined) return
    // A node that goes down meanwhile is told by its status.
    const table = await this.#options.probe
      .processes(node, { by: this.#by, limit: PROCESS_ROWS })
      .catch(() => undefined)
    if (node === this.#node && table !== undefined && !this.#paused) this.#table = table
  }

  /** @param evenPaused a pause holds what is shown: of a process that is opened, there is nothing yet */
  async #readProcess(evenPaused = false): Promise<void> {
    const detail = await this.#read({})
    const open = this.#process
    if (detail === undefined || open?.pid !== detail.pid || (this.#paused && !evenPaused)) return
    if (detail.found === undefined) {
      this.#process = { ...open, gone: true }
      return
    }
    const { found, at } = detail
    const since = open.detail?.reductions
    const reductionsRate =
      since === undefined || at <= open.at
        ? open.reductionsRate
        : ((found.reductions - since) * 1_000) / (at - open.at)
    this.#process = { ...open, detail: found, at, reductionsRate, gone: false }
  }

  async #ask(what: 'dictionary' | 'state'): Promise<void> {
    if (this.#process === undefined || this.#process[what] === 'reading') return
    const before = this.#process[what]
    this.#process = { ...this.#process, [what]: 'reading' }
    const answer = await this.#read({ [what]: true })
    const open = this.#process
    if (open === undefined || open[what] !== 'reading' || (answer !== undefined && answer.pid !== open.pid))
      return
    const value = answer?.found?.[what]
    const read = value === undefined ? before : { at: answer?.at ?? 0, value }
    this.#process = {
      ...open,
      [what]: read,
      ...(answer !== undefined && answer.found === undefined && { gone: true }),
    }
    this.#options.changed()
  }

  /** The open process; undefined when its node cannot be asked, which its status tells. */
  async #read(wanted: DetailOptions) {
    const { probe } = this.#options
    const node = this.#node
    const pid = this.#process?.pid
    if (node === undefined || pid === undefined) return undefined
    try {
      return { pid, found: await probe.process(node, pid, wanted), at: Date.now() }
    } catch {
      return undefined
    }
  }
}
