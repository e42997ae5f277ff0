/** Printing and reading through a group leader anywhere in the cluster: the client side of the I/O protocol. */
import { throwIfAborted } from '../arguments.js'
import { NodeError } from '../errors.js'
import { internAtom } from '../etf/atom.js'
import { asText } from '../etf/as-text.js'
import { Reference, type Pid } from '../etf/identifiers.js'
import type { Encodable, Term } from '../etf/terms.js'
import { Tuple, tuple } from '../etf/tuple.js'
import { describeReason } from './copy.js'
import type { Host } from './host.js'
import type { Process } from './process.js'
import { ReferenceMap } from './reference-map.js'

const IO_REQUEST = internAtom('io_request')
const IO_REPLY = internAtom('io_reply')
const PUT_CHARS = internAtom('put_chars')
const GET_LINE = internAtom('get_line')
const UNICODE = internAtom('unicode')
const OK = internAtom('ok')
const EOF = internAtom('eof')

/** The group leader of a call, as something to print on and read from. */
export interface Io {
  readonly pid: Pid
  /** Prints; resolves when the group leader answered. Not awaiting it is fine: order is kept. */
  write(text: string): Promise<void>
  /** Reads a line with its newline; undefined at the end of input. */
  readLine(prompt?: string, options?: { signal?: AbortSignal }): Promise<string | undefined>
}

interface PendingIo {
  resolve(reply: Term): void
  reject(error: NodeError): void
}

/** One process of the node that speaks the protocol for all who print. */
export class IoClient {
  readonly #host: Host
  readonly #process: Process
  readonly #pending = new ReferenceMap<PendingIo>()

  constructor(host: Host) {
    this.#host = host
    this.#process = host.spawnHandler({
      ignoresExits: true,
      message: (message) => this.#reply(message),
      down: (ref, _object, reason) => {
        this.#pending
          .take(ref)
          ?.reject(new NodeError('IO_FAILED', `the group leader is gone: ${describeReason(reason)}`))
      },
    })
  }

  /** Requests that wait for an answer. */
  get pending(): number {
    return this.#pending.size
  }

  for(groupLeader: Pid): Io {
    return {
      pid: groupLeader,
      write: (text) => {
        const written = this.#request(groupLeader, tuple(PUT_CHARS, UNICODE, text)).then((reply) => {
          if (reply !== OK)
            throw new NodeError('IO_FAILED', `the group leader answered ${describeReason(reply)}`)
        })
        // Whoever does not await output does not want its failure to end the process.
        written.catch(() => {})
        return written
      },
      readLine: async (prompt = '', { signal } = {}) => {
        const reply = await this.#request(groupLeader, tuple(GET_LINE, UNICODE, prompt), signal)
        if (reply === EOF) return undefined
        const text = asText(reply)
        if (text === undefined)
          throw new NodeError('IO_FAILED', `the group leader answered ${describeReason(reply)}`)
        return text
      },
    }
  }

  #request(groupLeader: Pid, request: Encodable, signal?: AbortSignal): Promise<Term> {
    return new Promise((resolve, reject) => {
      throwIfAborted(signal)
      // The monitor's reference names the request too, as OTP's io module does.
      const ref = this.#process.monitor(groupLeader)
      const giveUp = (error: unknown): void => {
        if (!this.#pending.delete(ref)) return
        this.#process.demonitor(ref)
        reject(error as Error)
      }
      const aborted = (): void => giveUp(signal?.reason)
      const settled = (): void => signal?.removeEventListener('abort', aborted)
      this.#pending.set(ref, {
        resolve: (reply) => {
          settled()
          resolve(reply)
        },
        reject: (error) => {
          settled()
          reject(error)
        },
      })
      signal?.addEventListener('abort', aborted, { once: true })
      try {
        this.#host.send(this.#process.pid, groupLeader, tuple(IO_REQUEST, this.#process.pid, ref, request))
      } catch (error) {
        settled()
        giveUp(error)
      }
    })
  }

  #reply(message: Term): void {
    if (!(message instanceof Tuple) || message.elements[0] !== IO_REPLY || message.size !== 3) return
    const ref = message.elements[1]
    if (!(ref instanceof Reference)) return
    const found = this.#pending.take(ref)
    if (found === undefined) return
    this.#process.demonitor(ref)
    found.resolve(message.elements[2] as Term)
  }
}
