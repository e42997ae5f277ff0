/**
 * Recordings of a dashboard: frames of MessagePack (the codec of protocol.ts), each after its length.
 *
 *     ┌────────────────────────┬───────────┐
 *     │ length, 4 bytes, big-e.│ frame     │ …
 *     └────────────────────────┴───────────┘
 *
 * The first frame is the head. Then, by time: what changed of nodes, events, values of views that somebody watched, and
 * each minute all nodes' states, from which a reader can begin. The last frame may be torn: a reader leaves it.
 */
import { decodeMessage, encodeValue, type NodeDelta, type NodeState, type ViewRequest } from './protocol.js'
import type { TimelineEvent } from './samples.js'
import type { ViewValue } from './source.js'

export const RECORDING_FORMAT = 'beampeer-dashboard'
export const RECORDING_VERSION = 1
export const LENGTH_BYTES = 4

/** `at`: milliseconds since 1970, which never goes back in a file. */
export type RecordedFrame =
  | {
      readonly type: 'head'
      readonly at: number
      readonly format: typeof RECORDING_FORMAT
      readonly version: number
      readonly beampeerVersion: string
      readonly intervalMs: number
    }
  | { readonly type: 'states'; readonly at: number; readonly nodes: readonly NodeState[] }
  | { readonly type: 'status'; readonly at: number; readonly node: NodeDelta }
  | { readonly type: 'event'; readonly at: number; readonly event: TimelineEvent }
  | { readonly type: 'view'; readonly at: number; readonly request: ViewRequest; readonly value: ViewValue }

export type HeadFrame = RecordedFrame & { type: 'head' }

/** A frame with its length. */
export function encodeFrame(frame: RecordedFrame): Uint8Array {
  const body = encodeValue(frame)
  const bytes = new Uint8Array(LENGTH_BYTES + body.length)
  new DataView(bytes.buffer).setUint32(0, body.length)
  bytes.set(body, LENGTH_BYTES)
  return bytes
}

/** The bytes after a length; undefined for what is no frame. */
export function decodeFrame(body: Uint8Array): RecordedFrame | undefined {
  let value: unknown
  try {
    value = decodeMessage(body)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const { type, at } = value as Record<string, unknown>
  if (typeof at !== 'number' || !TYPES.includes(type as RecordedFrame['type'])) return undefined
  return value as RecordedFrame
}

const TYPES: readonly RecordedFrame['type'][] = ['head', 'states', 'status', 'event', 'view']

export function isHead(frame: RecordedFrame | undefined): frame is HeadFrame {
  return frame?.type === 'head' && frame.format === RECORDING_FORMAT && frame.version === RECORDING_VERSION
}
