/** What programs give to functions, checked: what is of the wrong kind ends in an error that says what was expected. */
import { ArgumentError } from './errors.js'

/** A value as error messages name it. */
export function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'object' && value !== null) return 'an object'
  return typeof value === 'bigint' ? `${value}n` : String(value)
}

/** @throws ArgumentError `BAD_ARGUMENT` */
export function wrong(what: string, value: unknown): never {
  throw new ArgumentError('BAD_ARGUMENT', `${what}, not ${describe(value)}`)
}

/**
 * @param what is to be an array, as the beginning of a sentence: `the nodes are`
 * @throws ArgumentError `BAD_ARGUMENT`
 */
export function checkArray(what: string, value: unknown): void {
  if (!Array.isArray(value)) wrong(`${what} an array`, value)
}

/** What is used of an AbortSignal. */
interface Signal {
  throwIfAborted(): void
  addEventListener: unknown
}

/** @throws ArgumentError `BAD_ARGUMENT` for what is no AbortSignal */
export function checkSignal(signal: Signal | null | undefined): void {
  if (signal === undefined || signal === null) return
  if (typeof signal.throwIfAborted !== 'function' || typeof signal.addEventListener !== 'function')
    wrong('signal is an AbortSignal', signal)
}

/** @throws ArgumentError `BAD_ARGUMENT` for what is no AbortSignal; the reason of one that was aborted */
export function throwIfAborted(signal: Signal | null | undefined): void {
  checkSignal(signal)
  signal?.throwIfAborted()
}
