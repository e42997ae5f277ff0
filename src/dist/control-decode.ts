/**
 * Control messages, read: each is checked as `erts_net_message` of erts checks it, and turned into a signal.
 *
 * What a BEAM calls an invalid distribution message (an unknown number, a wrong arity, a pid that is none) makes it drop
 * the connection; so it is an error here that names the message and the element. What it does not look at (the unused
 * cookie element, unknown flags of ALTACT_SIG_SEND, elements beyond its arity) is not looked at here either.
 */
import { Atom } from '../etf/atom.js'
import { Pid, Reference } from '../etf/identifiers.js'
import type { Term } from '../etf/terms.js'
import { Tuple } from '../etf/tuple.js'
import { DistError } from '../errors.js'
import * as op from './control-codes.js'
import type { Name, SignalIn } from './signals.js'

/**
 * Stands for the payload of a signal until it is read; {@link attachPayload} replaces it. Never seen outside.
 */
const PENDING: Term = false

/** A control message that was understood. */
export interface DecodedControl {
  signal: SignalIn
  /** A payload term follows the control message. */
  payload: boolean
}

/**
 * The signal of a control message.
 * @param peer the node at the other end: where OTP demands that a signal is from a process of it
 * @param self this node: where OTP demands that a signal is for a process of it
 * @throws DistError `DIST_BAD_CONTROL`, `DIST_UNKNOWN_CONTROL`: a BEAM drops the connection
 */
export function decodeControl(control: Term, peer?: Atom, self?: Atom): DecodedControl {
  if (!(control instanceof Tuple) || typeof control.elements[0] !== 'number') {
    throw new DistError('DIST_BAD_CONTROL', 'a control message is a tuple that starts with a number')
  }
  return new ControlReader(control.elements, peer, self).read()
}

/**
 * Puts the payload into a signal whose {@link DecodedControl} has one.
 * @throws DistError `DIST_BAD_PAYLOAD` when the arguments of a spawn request are no list
 */
export function attachPayload(signal: SignalIn, payload: Term): void {
  switch (signal.type) {
    case 'exit':
    case 'exit2':
    case 'monitorExit':
      signal.reason = payload
      break
    case 'spawnRequest':
      if (!Array.isArray(payload)) {
        throw new DistError('DIST_BAD_PAYLOAD', 'the arguments of a SPAWN_REQUEST are no list')
      }
      signal.args = payload as readonly Term[]
      break
    case 'send':
    case 'regSend':
    case 'aliasSend':
    case 'altactSend':
      signal.message = payload
      break
    default:
  }
}

/** Options that are no proper list: no option either, which is answered. */
const NO_LIST: readonly Term[] = [new Tuple([])]

class ControlReader {
  private readonly elements: readonly Term[]
  private readonly code: number
  private readonly peer: Atom | undefined
  private readonly self: Atom | undefined

  constructor(elements: readonly Term[], peer: Atom | undefined, self: Atom | undefined) {
    this.elements = elements
    this.code = elements[0] as number
    this.peer = peer
    this.self = self
  }

  read(): DecodedControl {
    const { code } = this
    switch (code) {
      case op.LINK:
        this.arity(3)
        return control({ type: 'link', from: this.peerPid(1), to: this.ownPid(2) })
      case op.SEND:
      case op.SEND_SENDER:
        this.arity(3)
        return withPayload({ type: 'send', from: this.pidIfAny(1), to: this.pid(2), message: PENDING })
      case op.SEND_TT:
      case op.SEND_SENDER_TT:
        this.arity(4)
        return withPayload({
          type: 'send',
          from: this.pidIfAny(1),
          to: this.pid(2),
          message: PENDING,
          traceToken: this.elements[3],
        })
      case op.REG_SEND:
        this.arity(4)
        return withPayload({ type: 'regSend', from: this.pid(1), to: this.name(3), message: PENDING })
      case op.REG_SEND_TT:
        this.arity(5)
        return withPayload({
          type: 'regSend',
          from: this.pid(1),
          to: this.name(3),
          message: PENDING,
          traceToken: this.elements[4],
        })
      case op.ALIAS_SEND:
        this.arity(3)
        return withPayload({ type: 'aliasSend', from: this.pidIfAny(1), to: this.ref(2), message: PENDING })
      case op.ALIAS_SEND_TT:
        this.arity(4)
        return withPayload({
          type: 'aliasSend',
          from: this.pidIfAny(1),
          to: this.ref(2),
          message: PENDING,
          traceToken: this.elements[3],
        })
      case op.ALTACT_SIG_SEND:
        return this.altactSend()
      case op.UNLINK:
        this.arity(3)
        return control({ type: 'unlink', from: this.peerPid(1), to: this.ownPid(2) })
      case op.UNLINK_ID: {
        this.arity(4)
        const id = this.unlinkId(1)
        if (id === 0) throw this.bad(1, 'an id of 1 or more')
        return control({ type: 'unlinkId', id, from: this.peerPid(2), to: this.ownPid(3) })
      }
      case op.UNLINK_ID_ACK:
        this.arity(4)
        return control({
          type: 'unlinkIdAck',
          id: this.unlinkId(1),
          from: this.peerPid(2),
          to: this.ownPid(3),
        })
      case op.EXIT:
      case op.EXIT2:
        this.arity(4)
        return control(this.exit(code === op.EXIT, this.elements[3]))
      case op.EXIT_TT:
      case op.EXIT2_TT:
        this.arity(5)
        return control(this.exit(code === op.EXIT_TT, this.elements[4], this.elements[3]))
      case op.PAYLOAD_EXIT:
      case op.PAYLOAD_EXIT2:
        this.arity(3)
        return withPayload(this.exit(code === op.PAYLOAD_EXIT, PENDING))
      case op.PAYLOAD_EXIT_TT:
      case op.PAYLOAD_EXIT2_TT:
        this.arity(4)
        return withPayload(this.exit(code === op.PAYLOAD_EXIT_TT, PENDING, this.elements[3]))
      case op.MONITOR_P:
        this.arity(4)
        return control({ type: 'monitor', from: this.peerPid(1), to: this.ownPidOrName(2), ref: this.ref(3) })
      case op.DEMONITOR_P:
        this.arity(4)
        return control({
          type: 'demonitor',
          from: this.peerPid(1),
          to: this.ownPidOrName(2),
          ref: this.ref(3),
        })
      case op.MONITOR_P_EXIT:
        this.arity(5)
        return control(this.monitorExit(this.elements[4]))
      case op.PAYLOAD_MONITOR_P_EXIT:
        this.arity(4)
        return withPayload(this.monitorExit(PENDING))
      case op.GROUP_LEADER:
        this.arity(3)
        return control({ type: 'groupLeader', from: this.pid(1), to: this.pid(2) })
      case op.SPAWN_REQUEST:
        this.arity(6)
        return withPayload(this.spawnRequest())
      case op.SPAWN_REQUEST_TT:
        this.arity(7)
        return withPayload({ ...this.spawnRequest(), traceToken: this.elements[6] })
      case op.SPAWN_REPLY:
        this.arity(5)
        return control(this.spawnReply())
      case op.SPAWN_REPLY_TT:
        this.arity(6)
        return control({ ...this.spawnReply(), traceToken: this.elements[5] })
      default:
        throw new DistError(
          'DIST_UNKNOWN_CONTROL',
          `control message ${code === op.NODE_LINK ? 'NODE_LINK (5)' : code} from the peer is none that a node takes`,
        )
    }
  }

  private exit(linked: boolean, reason: Term, traceToken?: Term): SignalIn {
    const from = this.peerPid(1)
    const to = this.ownPid(2)
    const type = linked ? 'exit' : 'exit2'
    return traceToken === undefined ? { type, from, to, reason } : { type, from, to, reason, traceToken }
  }

  private monitorExit(reason: Term): SignalIn {
    const from = this.pidOrName(1)
    if (from instanceof Pid) this.notOwn(1, from)
    return { type: 'monitorExit', from, to: this.ownPid(2), ref: this.ref(3), reason }
  }

  /** What is neither urgent nor an exit is the signal that it replaces: a message to an alias, mostly. */
  private altactSend(): DecodedControl {
    const { elements } = this
    if (elements.length < 4) throw this.bad(0, 'at least 4 elements')
    const number = elements[1]
    if (!(typeof number === 'number' || typeof number === 'bigint') || number < 0) {
      throw this.bad(1, 'a non-negative integer')
    }
    // The other flags are not ours to understand, whatever their number (as in a BEAM).
    const flags = Number(BigInt.asUintN(8, BigInt(number)))
    const from = this.pid(2)
    const priority = (flags & op.ALTACT_SIG_FLG_PRIO) !== 0
    const exit = (flags & op.ALTACT_SIG_FLG_EXIT) !== 0
    const token = (flags & op.ALTACT_SIG_FLG_TOKEN) !== 0
    if (token && elements.length < 5) throw this.bad(0, 'at least 5 elements')
    const traceToken = token ? { traceToken: elements[4] } : {}
    const message = PENDING
    let to: Pid | Name | Reference
    if ((flags & op.ALTACT_SIG_FLG_ALIAS) !== 0) {
      if ((flags & op.ALTACT_SIG_FLG_NAME) !== 0) throw this.bad(1, 'flags that say either alias or name')
      to = this.ref(3)
      if (!priority && !exit) return withPayload({ type: 'aliasSend', from, to, message, ...traceToken })
    } else if ((flags & op.ALTACT_SIG_FLG_NAME) !== 0) {
      to = this.name(3)
      if (!priority && !exit) return withPayload({ type: 'regSend', from, to, message, ...traceToken })
    } else {
      to = this.pid(3)
      if (!priority && !exit) return withPayload({ type: 'send', from, to, message, ...traceToken })
    }
    return withPayload({ type: 'altactSend', from, to, message, priority, exit, ...traceToken })
  }

  private spawnRequest(): SignalIn & { type: 'spawnRequest' } {
    const mfa = this.elements[4]
    if (!(mfa instanceof Tuple) || mfa.elements.length !== 3) throw this.bad(4, 'a tuple of 3 elements')
    const [module, functionName, arity] = mfa.elements
    if (!isName(module) || !isName(functionName)) throw this.bad(4, 'a module and a function name')
    if (typeof arity !== 'number' || !Number.isSafeInteger(arity)) throw this.bad(4, 'an arity')
    const ref = this.ref(1)
    const from = this.pid(2)
    this.notOwn(1, ref)
    this.notOwn(2, from)
    const options = this.elements[5]
    return {
      type: 'spawnRequest',
      ref,
      from,
      groupLeader: this.pid(3),
      module,
      function: functionName,
      arity,
      options: Array.isArray(options) ? (options as readonly Term[]) : NO_LIST,
      args: [],
    }
  }

  private spawnReply(): SignalIn & { type: 'spawnReply' } {
    const flags = this.elements[3]
    if (typeof flags !== 'number' || !Number.isInteger(flags) || flags < 0 || flags >= 1 << 27) {
      throw this.bad(3, 'flags below 2^27')
    }
    const ref = this.ref(1)
    if (this.self !== undefined && ref.node !== this.self)
      throw this.bad(1, `a reference of ${this.self.name}`)
    return { type: 'spawnReply', ref, to: this.ownPid(2), flags, result: this.pidOrName(4) }
  }

  private arity(expected: number): void {
    if (this.elements.length !== expected) throw this.bad(0, `a tuple of ${expected} elements`)
  }

  private pid(index: number): Pid {
    const term = this.elements[index]
    if (!(term instanceof Pid)) throw this.bad(index, 'a pid')
    return term
  }

  /** A pid of the peer: it speaks for no other node. */
  private peerPid(index: number): Pid {
    const pid = this.pid(index)
    if (this.peer !== undefined && pid.node !== this.peer) {
      throw this.bad(index, `a pid of ${this.peer.name}, not of ${pid.node.name}`)
    }
    return pid
  }

  /** A pid of this node, whatever its creation: a signal goes to whom it is addressed, not through others. */
  private ownPid(index: number): Pid {
    const pid = this.pid(index)
    if (this.self !== undefined && pid.node !== this.self) {
      throw this.bad(index, `a pid of ${this.self.name}, not of ${pid.node.name}`)
    }
    return pid
  }

  private ownPidOrName(index: number): Pid | Name {
    const to = this.pidOrName(index)
    return to instanceof Pid ? this.ownPid(index) : to
  }

  private notOwn(index: number, id: Pid | Reference): void {
    if (id.node === this.self) throw this.bad(index, `of another node than ${id.node.name}`)
  }

  /** The sender of SEND_SENDER and ALIAS_SEND; SEND has an unused atom there, and a BEAM checks neither. */
  private pidIfAny(index: number): Pid | undefined {
    const term = this.elements[index]
    return term instanceof Pid ? term : undefined
  }

  private ref(index: number): Reference {
    const term = this.elements[index]
    if (!(term instanceof Reference)) throw this.bad(index, 'a reference')
    return term
  }

  private name(index: number): Name {
    const term = this.elements[index]
    if (!isName(term)) throw this.bad(index, 'an atom')
    return term
  }

  private pidOrName(index: number): Pid | Name {
    const term = this.elements[index]
    if (!(term instanceof Pid) && !isName(term)) throw this.bad(index, 'a pid or an atom')
    return term
  }

  private unlinkId(index: number): number | bigint {
    const term = this.elements[index]
    const valid =
      typeof term === 'bigint'
        ? BigInt.asUintN(64, term) === term
        : typeof term === 'number' && Number.isSafeInteger(term) && term >= 0
    if (!valid) throw this.bad(index, 'an unsigned integer of 64 bits')
    return term as number | bigint
  }

  private bad(index: number, expected: string): DistError {
    const name = op.CONTROL_NAMES[this.code] as string
    const where = index === 0 ? name : `element ${index + 1} of ${name}`
    return new DistError(
      'DIST_BAD_CONTROL',
      `invalid control message from the peer: ${where} is not ${expected}`,
    )
  }
}

function isName(term: Term | undefined): term is Name {
  return term instanceof Atom || typeof term === 'boolean'
}

function control(signal: SignalIn): DecodedControl {
  return { signal, payload: false }
}

function withPayload(signal: SignalIn): DecodedControl {
  return { signal, payload: true }
}
