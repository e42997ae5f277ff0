/** How arguments of the command line are read. Each function throws commander's InvalidArgumentError. */
import { InvalidArgumentError } from 'commander'

/** `--module NAME=FILE`. */
export interface ModuleSpec {
  name: string
  file: string
}

/** A TCP port that something listens on: 1 to 65535. */
export function port(text: string): number {
  return integer(text, 1, 65_535)
}

/** A TCP port to listen on: 0 stands for any free one. */
export function listenPort(text: string): number {
  return integer(text, 0, 65_535)
}

/** A length of text. */
export function characters(text: string): number {
  return integer(text, 1, 1_000_000_000)
}

/** `HOST:PORT` to listen on. */
export function hostPort(text: string): { host: string; port: number } {
  const colon = text.lastIndexOf(':')
  if (colon < 1) throw new InvalidArgumentError('It must have the form host:port, such as 127.0.0.1:9568.')
  return { host: text.slice(0, colon).replace(/^\[|\]$/g, ''), port: listenPort(text.slice(colon + 1)) }
}

/** Node's timers overflow at 2^31 milliseconds. */
const MAX_SECONDS = 2_147_483

/** A positive number of seconds, fractions allowed; gives milliseconds. */
export function seconds(text: string): number {
  const value = Number(text)
  if (!/^\d+(\.\d+)?$/.test(text) || value <= 0 || value > MAX_SECONDS) {
    throw new InvalidArgumentError(`It must be a positive number of seconds, at most ${MAX_SECONDS}.`)
  }
  return Math.ceil(value * 1_000)
}

export function moduleSpec(text: string): ModuleSpec {
  const equals = text.indexOf('=')
  if (equals < 1 || equals === text.length - 1) {
    throw new InvalidArgumentError('It must have the form name=file, such as math=./math.js.')
  }
  return { name: text.slice(0, equals), file: text.slice(equals + 1) }
}

/** IP addresses separated by commas. */
export function address(text: string): string[] {
  const addresses = text.split(',').map((part) => part.trim())
  if (addresses.some((part) => part === ''))
    throw new InvalidArgumentError('It must be IP addresses separated by commas.')
  return addresses
}

function integer(text: string, lowest: number, highest: number): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || value < lowest || value > highest) {
    throw new InvalidArgumentError(`It must be a whole number from ${lowest} to ${highest}.`)
  }
  return value
}
