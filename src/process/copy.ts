/** Values as another process of this node gets them: copies, as every message on the BEAM is. */
import { Atom } from '../etf/atom.js'
import { decode } from '../etf/decode.js'
import { encode } from '../etf/encode.js'
import { Pid, Reference } from '../etf/identifiers.js'
import { print } from '../etf/print.js'
import type { Encodable, Term } from '../etf/terms.js'
import type { SignalIn, SignalOut } from '../dist/signals.js'
import { toExitReason } from './erlang-error.js'

/**
 * What a local receiver gets for `value`.
 * @throws EtfError when it is no term
 */
export function localTerm(value: Encodable): Term {
  if (typeof value === 'boolean') return value
  if (typeof value === 'number' && Number.isSafeInteger(value) && !Object.is(value, -0)) return value
  if (value instanceof Atom || value instanceof Pid || value instanceof Reference) return value
  return decode(encode(value))
}

/**
 * A signal as its receiver on this node gets it.
 * @throws EtfError when a value in it is no term
 */
export function localSignal(signal: SignalOut): SignalIn {
  switch (signal.type) {
    case 'send':
    case 'regSend':
    case 'aliasSend':
    case 'altactSend':
      return { ...signal, message: localTerm(signal.message) } as SignalIn
    case 'exit':
    case 'exit2':
    case 'monitorExit':
      return { ...signal, reason: localTerm(signal.reason) } as SignalIn
    case 'spawnRequest':
      return {
        ...signal,
        args: signal.args.map(localTerm),
        options: signal.options.map(localTerm),
      } as SignalIn
    default:
      return signal as SignalIn
  }
}

/** A signal that waits for its connection. */
export interface PackedSignal {
  /** What it holds, about. */
  readonly bytes: number
  unpack(): SignalOut
}

/** What a signal takes beside its terms: itself, its pids, and its place in a queue. */
const SIGNAL_BYTES = 512

/** These were ours when they were packed: what a peer's may be does not matter. */
const OURS = { limits: { maxTermElements: Infinity, maxNesting: Infinity, maxIntegerBytes: Infinity } }

/**
 * A signal as it is now, whatever becomes of its values. Its terms wait as bytes: those are known by their number, and take
 * less.
 * @throws EtfError when a value in it is no term
 */
export function packSignal(signal: SignalOut): PackedSignal {
  switch (signal.type) {
    case 'send':
    case 'regSend':
    case 'aliasSend':
    case 'altactSend': {
      const rest = { ...signal, message: [] }
      return packed(signal.message, (message) => ({ ...rest, message }))
    }
    case 'exit':
    case 'exit2':
    case 'monitorExit': {
      const rest = { ...signal, reason: [] }
      return packed(signal.reason, (reason) => ({ ...rest, reason }))
    }
    case 'spawnRequest': {
      const rest = { ...signal, args: [], options: [] }
      return packed([signal.args, signal.options], (terms) => {
        const [args, options] = terms as [Term[], Term[]]
        return { ...rest, args, options }
      })
    }
    default:
      return { bytes: SIGNAL_BYTES, unpack: () => signal }
  }
}

function packed(term: Encodable, unpack: (term: Term) => SignalOut): PackedSignal {
  const bytes = encode(term)
  return { bytes: SIGNAL_BYTES + bytes.length, unpack: () => unpack(decode(bytes, OURS)) }
}

/** The exit reason of JavaScript code that threw. */
export function reasonOf(error: unknown): Term {
  const reason = toExitReason(error)
  try {
    return localTerm(reason)
  } catch (encodeError) {
    return localTerm(toExitReason(encodeError))
  }
}

/** Longest text of a reason: whoever sends it may make it as large as a message. */
const MAX_REASON_CHARACTERS = 1_000

/** A reason as text, for error messages. */
export function describeReason(reason: Encodable): string {
  try {
    return print(reason, { maxCharacters: MAX_REASON_CHARACTERS })
  } catch {
    return 'a reason that is no term'
  }
}
