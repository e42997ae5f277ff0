/** `beampeer inspect`: what nodes say to each other, live through a relay, or as it was recorded. */
import { createWriteStream, existsSync, type WriteStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { WireEvent } from '../index.js'
import { untilInterrupted } from './signals.js'

export interface InspectOptions {
  port?: number
  record?: string
  width?: number
  ticks?: boolean
  json?: true
}

/** @param what a recording's file name, or the name of a node */
export async function inspectCommand(what: string, options: InspectOptions): Promise<void> {
  if (existsSync(what)) await showRecording(what, options)
  else await showLive(what, options)
}

async function showRecording(file: string, options: InspectOptions): Promise<void> {
  const { DEFAULT_LIMITS, readRecording, replay } = await import('../index.js')
  const pieces = readRecording(await readFile(file, 'utf8'))
  for (const event of replay(pieces, DEFAULT_LIMITS, options.width)) show(event, options)
}

async function showLive(name: string, options: InspectOptions): Promise<void> {
  const { DEFAULT_LIMITS, epmdNames, NodeError, parseNodeName, recordingHead, recordingLine, startRelay } =
    await import('../index.js')
  const { alive, host } = parseNodeName(name)
  const found = (await epmdNames(host)).find((entry) => entry.name === alive)
  if (found === undefined)
    throw new NodeError('NODE_NOT_FOUND', `no node named ${alive} is registered in the EPMD of ${host}`)
  const interrupted = untilInterrupted()
  const files = new Map<number, WriteStream>()
  const relay = await startRelay({
    to: { host, port: found.port },
    limits: DEFAULT_LIMITS,
    ...(options.port !== undefined && { listen: { port: options.port } }),
    ...(options.width !== undefined && { maxTermCharacters: options.width }),
    onEvent: (event) => show(event, options, `${event.connection} `),
    onPiece: ({ connection, ...piece }) => {
      if (options.record === undefined) return
      let file = files.get(connection)
      if (file === undefined) {
        file = createWriteStream(connection === 1 ? options.record : `${options.record}.${connection}`, {
          mode: 0o600,
        })
        file.write(`${recordingHead()}\n`)
        files.set(connection, file)
      }
      file.write(`${recordingLine(piece)}\n`)
    },
  })
  console.log(`ready ${name} ${relay.port}`)
  await interrupted
  relay.close()
  for (const file of files.values()) file.end()
}

function show(
  event: WireEvent & { ms: number; connection?: number },
  { ticks, json }: InspectOptions,
  before = '',
): void {
  if (event.type === 'tick' && ticks !== true) return
  if (json === true) {
    const { ms, connection, from, type, text } = event
    console.log(JSON.stringify({ ms, connection, from, type, text }))
    return
  }
  const arrow = event.from === 'initiator' ? '→' : '←'
  console.log(
    `${before}${(event.ms / 1000).toFixed(3)} ${arrow} ${event.type === 'error' ? 'ERROR ' : ''}${event.text}`,
  )
}
