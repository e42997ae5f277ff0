/**
 * Recorded connections: one JSON object a line. The first says what the file is; each other one is a piece of one
 * direction, in the order in which it was seen.
 *
 *     {"beampeer":"wire","version":1}
 *     {"ms":12,"from":"initiator","hex":"002a4e…"}
 *     {"ms":99,"from":"acceptor","hex":"","closed":true}
 */
import { DistError } from '../errors.js'
import type { Limits } from '../limits.js'
import { type WireEvent, WireInspector, type WireSide } from './inspector.js'

const HEAD = '{"beampeer":"wire","version":1}'

export interface RecordedPiece {
  /** Since the connection began. */
  ms: number
  from: WireSide
  bytes: Uint8Array
  /** This side ended the connection: the last piece, without bytes. Older recordings have none. */
  closed?: true
}

/** The first line of a recording. */
export function recordingHead(): string {
  return HEAD
}

/** The line of one piece. */
export function recordingLine({ ms, from, bytes, closed }: RecordedPiece): string {
  return JSON.stringify({ ms, from, hex: Buffer.from(bytes).toString('hex'), closed })
}

/**
 * The pieces of a recording.
 * @throws DistError `DIST_BAD_RECORDING`
 */
export function readRecording(text: string): RecordedPiece[] {
  const [head, ...lines] = text.split('\n').filter((line) => line !== '')
  if (head !== HEAD) throw new DistError('DIST_BAD_RECORDING', `a recording begins with the line ${HEAD}`)
  return lines.map((line, index) => {
    const piece = parse(line)
    if (piece === undefined)
      throw new DistError('DIST_BAD_RECORDING', `line ${index + 2} of the recording is no piece`)
    return piece
  })
}

function parse(line: string): RecordedPiece | undefined {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const { ms, from, hex, closed } = value as Record<string, unknown>
  if (typeof ms !== 'number' || (from !== 'initiator' && from !== 'acceptor')) return undefined
  if (typeof hex !== 'string' || !/^([0-9a-f]{2})*$/.test(hex)) return undefined
  if (closed !== undefined && closed !== true) return undefined
  return { ms, from, bytes: Buffer.from(hex, 'hex'), ...(closed && { closed }) }
}

/** What a recording tells: the same events as when it was made. */
export function replay(
  pieces: readonly RecordedPiece[],
  limits: Limits,
  maxTermCharacters?: number,
): (WireEvent & { ms: number })[] {
  const events: (WireEvent & { ms: number })[] = []
  let now = 0
  const inspector = new WireInspector({
    limits,
    ...(maxTermCharacters === undefined ? {} : { maxTermCharacters }),
    onEvent: (event) => void events.push({ ...event, ms: now }),
  })
  for (const { ms, from, bytes, closed } of pieces) {
    now = ms
    inspector.feed(from, bytes)
    if (closed === true) inspector.closed(from)
  }
  return events
}
