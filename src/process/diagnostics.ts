/**
 * Events for whoever watches this process, on channels of `node:diagnostics_channel`. Nothing is made or sent while nobody
 * listens. `local` is the node of this process that the event is of.
 */
import { channel } from 'node:diagnostics_channel'

/** On `beampeer:connection`. */
export interface ConnectionEvent {
  readonly type: 'nodeup' | 'nodedown'
  readonly local: string
  readonly node: string
  readonly reason?: string
}

/** On `beampeer:call`: a call to another node has ended. */
export interface CallEvent {
  readonly local: string
  readonly node: string
  readonly module: string
  readonly function: string
  readonly durationMs: number
  readonly error?: unknown
}

/** On `beampeer:served`: a call of another node, or of this one, that came here has ended. */
export interface ServedEvent {
  readonly local: string
  /** The node that called. */
  readonly node: string
  /** What was asked for; empty where it was no atom. */
  readonly module: string
  readonly function: string
  readonly durationMs: number
  /** The reason, when it ended with an exception; calls of what is not exposed do, too. */
  readonly error?: unknown
}

/** On `beampeer:drop`: a message that came to a full mailbox. */
export interface DropEvent {
  readonly local: string
  readonly pid: string
  readonly registeredName?: string
}

export const connectionChannel = channel('beampeer:connection')
export const callChannel = channel('beampeer:call')
export const servedChannel = channel('beampeer:served')
export const dropChannel = channel('beampeer:drop')
