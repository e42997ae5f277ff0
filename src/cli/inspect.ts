/** `beampeer inspect`: what nodes say to each other, live through a relay, or as it was recorded. */
import { existsSync, statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { ArgumentError } from '../errors.js'
import type { WireEvent } from '../index.js'
import { untilUnread } from './output.js'
import { untilInterrupted } from './signals.js'
import { jsonText, visible } from './visible.js'

export interface InspectOptions {
  port?: number
  record?: string
  width?: number
  ticks?: boolean
  json?: true
}

/** @param what a recording's file name, or the name of a node */
export async function inspectCommand(what: string, options: InspectOptions): Promise<void> {
  if (existsSync(what)) return showRecording(what, options)
  // Whoever mistypes the name of a file meant no node.
  if (!what.includes('@'))
    throw new ArgumentError(
      'BAD_NODE_NAME',
      `there is no file ${JSON.stringify(what)}, and the name of a node has the form name@host`,
    )
  return showLive(what, options)
}

async function showRecording(file: string, options: InspectOptions): Promise<void> {
  const { DEFAULT_LIMITS, DistError, readRecording, replay } = await import('../index.js')
  const bad = (why: string) => new DistError('DIST_BAD_RECORDING', `${file} ${why}`)
  if (statSync(file).isDirectory()) throw bad('is a folder, not a recording')
  const text = await readFile(file, 'utf8')
  if (text === '') throw bad('is empty')
  const pieces = readRecording(text)
  for (const event of replay(pieces, DEFAULT_LIMITS, options.width)) show(event, options)
}

/** Exit status 0 when it was interrupted, but 1 when a recording that was asked for is not whole. */
async function showLive(name: string, options: InspectOptions): Promise<void> {
  const { DEFAULT_LIMITS, epmdNames, NodeError, parseNodeName, startRelay } = await import('../index.js')
  const { alive, host } = parseNodeName(name)
  const found = (await epmdNames(host)).find((entry) => entry.name === alive)
  if (found === undefined)
    throw new NodeError('NODE_NOT_FOUND', `no node named ${alive} is registered in the EPMD of ${host}`)
  const files =
    options.record === undefined
      ? undefined
      : await (await import('./wire-files.js')).WireFiles.create(options.record)
  const interrupted = untilInterrupted()
  try {
    const relay = await startRelay({
      to: { host, port: found.port },
      limits: DEFAULT_LIMITS,
      ...(options.port !== undefined && { listen: { port: options.port } }),
      ...(options.width !== undefined && { maxTermCharacters: options.width }),
      onEvent: (event) => show(event, options, `${event.connection} `),
      onPiece: (piece) => files?.write(piece),
    })
    console.log(`ready ${name} ${relay.port}`)
    // Without a recording there is nothing to go on for once nobody reads (`| head`).
    await (files === undefined ? Promise.race([interrupted, untilUnread()]) : interrupted)
    relay.close()
    files?.close()
  } catch (error) {
    files?.discard()
    throw error
  }
}

function show(
  event: WireEvent & { ms: number; connection?: number },
  { ticks, json }: InspectOptions,
  before = '',
): void {
  if (event.type === 'tick' && ticks !== true) return
  if (json === true) {
    const { ms, connection, from, type, text } = event
    console.log(jsonText({ ms, connection, from, type, text }))
    return
  }
  const arrow = event.from === 'initiator' ? '→' : '←'
  console.log(
    `${before}${(event.ms / 1000).toFixed(3)} ${arrow} ${event.type === 'error' ? 'ERROR ' : ''}${visible(event.text)}`,
  )
}
