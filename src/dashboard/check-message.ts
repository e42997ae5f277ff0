/** Messages of pages, checked: whoever has a cookie may still send anything. */
import { BeampeerError } from '../errors.js'
import type { Limits } from '../limits.js'
import {
  HISTORY_COLUMNS,
  type Action,
  type ClientMessage,
  type Control,
  type Question,
  type ViewRequest,
} from './protocol.js'

type CheckLimits = Pick<Limits, 'maxDashboardTextCharacters' | 'maxHistoryReplyPoints' | 'maxProbeRows'>
type Fields = Readonly<Record<string, unknown>>

/**
 * A decoded message, if it is one.
 * @throws BeampeerError `DASHBOARD_BAD_MESSAGE`
 */
export function checkMessage(value: unknown, limits: CheckLimits): ClientMessage {
  const check = new Check(limits)
  const message = check.fields(value)
  const type = check.oneOf(message, 'type', [
    'hello',
    'watch',
    'unwatch',
    'pause',
    'ask',
    'action',
    'control',
  ])
  if (type === 'hello') return { type, version: check.whole(message, 'version', 0, 1_000_000) }
  const id = check.whole(message, 'id', 0, Number.MAX_SAFE_INTEGER)
  switch (type) {
    case 'watch':
      return { type, id, view: check.view(check.fields(message.view)) }
    case 'unwatch':
      return { type, id }
    case 'pause':
      return { type, id, paused: check.flag(message, 'paused') }
    case 'ask':
      return { type, id, question: check.question(check.fields(message.question)) }
    case 'action':
      return { type, id, action: check.action(check.fields(message.action)) }
    case 'control':
      return { type, id, control: check.control(check.fields(message.control)) }
  }
}

class Check {
  readonly #limits: CheckLimits

  constructor(limits: CheckLimits) {
    this.#limits = limits
  }

  fields(value: unknown): Fields {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw bad('no object')
    return value as Fields
  }

  oneOf<const Name extends string>(from: Fields, key: string, names: readonly Name[]): Name {
    const found = names.find((name) => name === from[key])
    if (found === undefined) throw bad(key)
    return found
  }

  text(from: Fields, key: string): string {
    const value = from[key]
    if (typeof value !== 'string' || value.length > this.#limits.maxDashboardTextCharacters) throw bad(key)
    return value
  }

  flag(from: Fields, key: string): boolean {
    const value = from[key]
    if (typeof value !== 'boolean') throw bad(key)
    return value
  }

  number(from: Fields, key: string): number {
    const value = from[key]
    if (typeof value !== 'number' || !Number.isFinite(value)) throw bad(key)
    return value
  }

  whole(from: Fields, key: string, lowest: number, highest: number): number {
    const value = this.number(from, key)
    if (!Number.isSafeInteger(value) || value < lowest || value > highest) throw bad(key)
    return value
  }

  view(from: Fields): ViewRequest {
    const node = this.text(from, 'node')
    const kind = this.oneOf(from, 'kind', [
      'processes',
      'process',
      'children',
      'applications',
      'ets',
      'ports',
      'sockets',
      'schedulers',
    ])
    switch (kind) {
      case 'processes':
        return {
          kind,
          node,
          by: this.oneOf(from, 'by', ['memory', 'reductions', 'messageQueueLen']),
          filter: this.text(from, 'filter'),
          limit: this.whole(from, 'limit', 1, this.#limits.maxProbeRows),
        }
      case 'process':
        return {
          kind,
          node,
          pid: this.text(from, 'pid'),
          dictionary: this.flag(from, 'dictionary'),
          state: this.flag(from, 'state'),
          messages: this.flag(from, 'messages'),
        }
      case 'children':
        return { kind, node, supervisor: this.text(from, 'supervisor') }
      default:
        return { kind, node }
    }
  }

  question(from: Fields): Question {
    const kind = this.oneOf(from, 'kind', ['history', 'events'])
    if (kind === 'events') return { kind, before: this.whole(from, 'before', 0, Number.MAX_SAFE_INTEGER) }
    const { columns } = from
    if (!Array.isArray(columns)) throw bad('columns')
    return {
      kind,
      node: this.text(from, 'node'),
      columns: HISTORY_COLUMNS.filter((column) => (columns as unknown[]).includes(column)),
      from: this.number(from, 'from'),
      points: this.whole(from, 'points', 1, this.#limits.maxHistoryReplyPoints),
    }
  }

  action(from: Fields): Action {
    const kind = this.oneOf(from, 'kind', ['exit', 'disconnect'])
    const node = this.text(from, 'node')
    if (kind === 'disconnect') return { kind, node, peer: this.text(from, 'peer') }
    return {
      kind,
      node,
      pid: this.text(from, 'pid'),
      reason: this.oneOf(from, 'reason', ['normal', 'shutdown', 'kill']),
    }
  }

  control(from: Fields): Control {
    return {
      ...(from.paused === undefined ? {} : { paused: this.flag(from, 'paused') }),
      ...(from.speed === undefined ? {} : { speed: this.number(from, 'speed') }),
      ...(from.position === undefined ? {} : { position: this.number(from, 'position') }),
    }
  }
}

function bad(what: string): BeampeerError {
  return new BeampeerError('DASHBOARD_BAD_MESSAGE', `a page sent a message that is none (${what})`)
}
