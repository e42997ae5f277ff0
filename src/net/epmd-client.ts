/**
 * Questions to an EPMD, each over a connection of its own: where a node listens, which names there are.
 * Drives the state machines of epmd/client.ts; follows `erl_epmd.erl`.
 */
import { throwIfAborted, wrong } from '../arguments.js'
import { connect } from 'node:net'
import { NamesExchange, PortExchange, type Exchange } from '../epmd/client.js'
import type { EpmdName, EpmdNode } from '../epmd/messages.js'
import { EpmdError } from '../errors.js'
import { DEFAULT_LIMITS, type Limits } from '../limits.js'
import { epmdPort, type Environment } from './epmd-options.js'

export interface EpmdQueryOptions {
  /** Default: ERL_EPMD_PORT, else 4369. */
  port?: number
  env?: Environment
  limits?: Limits
  /** Ends the wait; the promise rejects with the signal's reason. */
  signal?: AbortSignal
}

/**
 * Asks the EPMD of a host where a node listens.
 * @param alive the part of the node's name before the `@`
 * @returns undefined when no such node is registered there
 * @throws EpmdError `EPMD_UNREACHABLE`, `EPMD_TIMEOUT`, `EPMD_CLOSED`, `EPMD_BAD_REPLY`, `EPMD_REPLY_TOO_LARGE`
 */
export function epmdLookup(
  alive: string,
  host: string,
  options: EpmdQueryOptions = {},
): Promise<EpmdNode | undefined> {
  return ask(new PortExchange(alive, options.limits ?? DEFAULT_LIMITS), host, options)
}

/**
 * Asks the EPMD of a host for all registered names.
 * @throws EpmdError as `epmdLookup`
 */
export function epmdNames(host = '127.0.0.1', options: EpmdQueryOptions = {}): Promise<EpmdName[]> {
  return ask(new NamesExchange(options.limits ?? DEFAULT_LIMITS), host, options)
}

/** An error of a socket to EPMD: nobody there, or gone. */
export function unreachable(where: string, cause: unknown): EpmdError {
  const what =
    cause instanceof Error ? cause.message || String((cause as NodeJS.ErrnoException).code) : String(cause)
  return new EpmdError('EPMD_UNREACHABLE', `no EPMD at ${where}: ${what}`, { cause })
}

/** The connection to EPMD broke after it was made. */
export function broken(where: string, cause: unknown): EpmdError {
  const what = cause instanceof Error ? `: ${cause.message}` : ''
  return new EpmdError('EPMD_CLOSED', `the connection to EPMD at ${where} ended${what}`, { cause })
}

function ask<Answer>(exchange: Exchange<Answer>, host: string, options: EpmdQueryOptions): Promise<Answer> {
  const { limits = DEFAULT_LIMITS, signal } = options
  return new Promise((resolve, reject) => {
    throwIfAborted(signal)
    if (typeof host !== 'string') wrong('the host of an EPMD is text', host)
    const port = epmdPort(options.port, options.env ?? process.env)
    const where = `${host}:${port}`
    const socket = connect({ host, port, noDelay: true })
    const finish = (settle: () => void) => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', aborted)
      socket.destroy()
      settle()
    }
    /** Runs a step of the exchange; what it throws is the outcome. */
    const attempt = (step: () => { answer: Answer } | undefined) => {
      try {
        const outcome = step()
        if (outcome) finish(() => resolve(outcome.answer))
      } catch (error) {
        finish(() => reject(error))
      }
    }
    const aborted = () => finish(() => reject(signal?.reason))
    const timer = setTimeout(() => {
      const text = `EPMD at ${where} did not answer within ${limits.epmdReplyTimeoutMs} ms`
      finish(() => reject(new EpmdError('EPMD_TIMEOUT', text)))
    }, limits.epmdReplyTimeoutMs)
    signal?.addEventListener('abort', aborted)
    let connected = false
    socket.on('connect', () => {
      connected = true
      socket.write(exchange.request)
    })
    socket.on('data', (bytes) => attempt(() => exchange.received(bytes)))
    socket.on('end', () => attempt(() => ({ answer: exchange.ended() })))
    // A settled promise ignores what still comes: destroy may be followed by an error of the same socket.
    socket.on('error', (error) =>
      finish(() => reject(connected ? broken(where, error) : unreachable(where, error))),
    )
  })
}
