/** What the environment and the options say about EPMD: `ERL_EPMD_PORT`, `ERL_EPMD_ADDRESS`, as OTP reads them. */
import { isIP } from 'node:net'
import { EPMD_DEFAULT_PORT } from '../epmd/messages.js'
import { ArgumentError, EpmdError } from '../errors.js'
import { resolver } from './resolver.js'

/** Environment variables, as in `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>

/** Where EPMD writes about itself: any object with these methods, such as `console`. */
export interface EpmdLogger {
  debug(message: string): void
  info(message: string): void
  warn(message: string): void
}

/** A logger that says nothing. */
export const silent: EpmdLogger = { debug: () => undefined, info: () => undefined, warn: () => undefined }

/**
 * The port of EPMD: `port`, else ERL_EPMD_PORT, else 4369.
 * @throws ArgumentError `BAD_OPTION`
 */
export function epmdPort(port: number | undefined, env: Environment): number {
  if (port !== undefined) return checkPort(port, 'epmd port')
  const text = env['ERL_EPMD_PORT']
  if (text === undefined || text === '') return EPMD_DEFAULT_PORT
  return checkPort(/^\d+$/.test(text) ? Number(text) : NaN, `ERL_EPMD_PORT="${text}"`, 1)
}

function checkPort(port: number, what: string, lowest = 0): number {
  if (Number.isInteger(port) && port >= lowest && port <= 65_535) return port
  throw new ArgumentError('BAD_OPTION', `${what}: not a port number (${lowest} to 65535)`)
}

/** An address to listen on. */
export interface ListenAddress {
  host: string
  /** Asked for by name: if it cannot be had, the server does not start. Loopback is added without being asked for. */
  required: boolean
}

const isLoopback = (host: string) => host.startsWith('127.') || host === '::1'

/**
 * The addresses that an EPMD listens on. 127.0.0.1 comes first where it is among them: whoever gets it is the host's
 * EPMD. Named addresses get both loopback addresses with them, as with OTP's daemon; without any, OTP's listens
 * everywhere and ours on loopback only.
 * @param addresses IP addresses, or undefined for what ERL_EPMD_ADDRESS says
 * @throws ArgumentError `BAD_OPTION`
 */
export function listenAddresses(addresses: readonly string[] | undefined, env: Environment): ListenAddress[] {
  const named = addresses ?? (env['ERL_EPMD_ADDRESS'] ?? '').split(/[ ,]+/).filter((text) => text !== '')
  for (const host of named)
    if (isIP(host) === 0)
      throw new ArgumentError('BAD_OPTION', `EPMD cannot listen on "${host}": not an IP address`)
  const listen: ListenAddress[] = []
  const add = (host: string, required: boolean) => {
    if (!listen.some((other) => other.host === host)) listen.push({ host, required })
  }
  // An address for everything covers its family's loopback, which could not be bound beside it.
  if (named.includes('0.0.0.0')) add('0.0.0.0', true)
  else add('127.0.0.1', true)
  if (named.includes('::')) add('::', true)
  else add('::1', named.includes('::1'))
  for (const host of named) if (!named.includes(isIP(host) === 4 ? '0.0.0.0' : '::')) add(host, true)
  return listen
}

/**
 * The addresses of an EPMD inside a node: as wide as the node itself listens, loopback when that is narrow.
 * @returns undefined for what ERL_EPMD_ADDRESS says, else loopback
 * @throws EpmdError `EPMD_LISTEN_FAILED` when a host name cannot be resolved
 */
export async function embeddedAddresses(
  listenHost: string | undefined,
  env: Environment,
): Promise<string[] | undefined> {
  if (env['ERL_EPMD_ADDRESS'] || listenHost === undefined) return undefined
  // Node's `::` takes IPv4 too.
  if (listenHost === '::') return ['0.0.0.0', '::']
  if (isIP(listenHost) !== 0) return isLoopback(listenHost) ? undefined : [listenHost]
  const found = await resolver()
    .lookup(listenHost, { all: true })
    .catch((cause: unknown) => {
      throw new EpmdError('EPMD_LISTEN_FAILED', `EPMD cannot listen on ${listenHost}: it has no address`, {
        cause,
      })
    })
  const wide = found.map(({ address }) => address).filter((address) => !isLoopback(address))
  return wide.length > 0 ? wide : undefined
}
