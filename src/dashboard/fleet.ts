/**
 * What a dashboard knows of its nodes now, and what was: filled by a probe or by a recording, read by pages and by the
 * recorder, which are told what changed and read the state themselves.
 */
import type { Limits } from '../limits.js'
import { NodeHistory } from './history.js'
import type { NodeState } from './protocol.js'
import type { TimelineEvent } from './samples.js'

export interface FleetListener {
  /** The state of a node is another, or it is not watched any more. */
  changed(node: string): void
  /** There are events after those before. */
  event(event: TimelineEvent): void
  /** Nothing is as it was: a replay has gone elsewhere. */
  reset(): void
}

export class Fleet {
  readonly #limits: Limits
  readonly #keepHistory: boolean
  readonly #states = new Map<string, NodeState>()
  readonly #histories = new Map<string, NodeHistory>()
  readonly #listeners = new Set<FleetListener>()
  #events: TimelineEvent[] = []
  #firstEvent = 0

  /** @param keepHistory false for a replay, whose histories are adopted */
  constructor(limits: Limits, keepHistory = true) {
    this.#limits = limits
    this.#keepHistory = keepHistory
  }

  get states(): ReadonlyMap<string, NodeState> {
    return this.#states
  }

  history(node: string): NodeHistory | undefined {
    return this.#histories.get(node)
  }

  /** Number of the next event: all events since the start are counted. */
  get nextEvent(): number {
    return this.#firstEvent + this.#events.length
  }

  /** Events from number `from` on, before number `to`, as far as they are kept, and the number of the first. */
  events(from: number, to: number): { events: TimelineEvent[]; firstEvent: number } {
    const first = Math.max(from, this.#firstEvent)
    return {
      events: this.#events.slice(first - this.#firstEvent, Math.max(0, to - this.#firstEvent)),
      firstEvent: first,
    }
  }

  listen(listener: FleetListener): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** A node's new state. A sample that is new goes into its history. */
  put(state: NodeState): void {
    const { node } = state
    const before = this.#states.get(node)
    if (before === undefined && this.#states.size >= this.#limits.maxDashboardNodes) return
    this.#states.set(node, state)
    if (this.#keepHistory) this.#remember(state, before)
    for (const listener of this.#listeners) listener.changed(node)
  }

  #remember(state: NodeState, before: NodeState | undefined): void {
    const { node, sample } = state
    let history = this.#histories.get(node)
    if (history === undefined) this.#histories.set(node, (history = new NodeHistory(this.#limits)))
    if (sample !== undefined && sample.at !== before?.sample?.at) history.push(sample)
    if (state.status === 'down' && before?.status === 'up') history.gap(state.since)
  }

  /** The node is not watched any more. */
  remove(node: string): void {
    if (this.#keepHistory) this.#histories.delete(node)
    if (!this.#states.delete(node)) return
    for (const listener of this.#listeners) listener.changed(node)
  }

  event(event: TimelineEvent): void {
    this.#events.push(event)
    if (this.#events.length > this.#limits.maxProbeEvents) {
      this.#events.shift()
      this.#firstEvent++
    }
    for (const listener of this.#listeners) listener.event(event)
  }

  /** All at once, for a replay that goes elsewhere. Histories stay: those of a replay know its whole time. */
  reset(states: readonly NodeState[], events: readonly TimelineEvent[]): void {
    this.#states.clear()
    for (const state of states) this.#states.set(state.node, state)
    this.#events = events.slice(-this.#limits.maxProbeEvents)
    this.#firstEvent = events.length - this.#events.length
    for (const listener of this.#listeners) listener.reset()
  }

  /** For a replay: history that was read ahead, with all of its time. */
  adopt(node: string, history: NodeHistory): void {
    this.#histories.set(node, history)
  }
}
