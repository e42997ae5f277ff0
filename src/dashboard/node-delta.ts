/** What pages and recordings are told of a change: mirror.ts puts it together again. */
import { diff, diffRows, type Patch, type RowsDelta } from './delta.js'
import { ROW_KEYS, type NodeDelta, type NodeState, type ViewKind } from './protocol.js'
import type { LinkSample } from './samples.js'
import type { ViewValue } from './source.js'

/** What changed of a node; undefined for nothing. */
export function nodeDelta(before: NodeState | undefined, after: NodeState): NodeDelta | undefined {
  const patch = diff(before && withoutLinks(before), withoutLinks(after))
  const links = after.sample && diffRows<LinkSample>(before?.sample?.links, after.sample.links, 'peer')
  if (patch === undefined && links === undefined) return undefined
  return { node: after.node, ...(patch && { patch }), ...(links && { links }) }
}

function withoutLinks(state: NodeState): object {
  if (state.sample === undefined) return state
  const { links: _links, ...sample } = state.sample
  return { ...state, sample }
}

/** What changed of a view. */
export function viewDelta(
  kind: ViewKind,
  before: ViewValue | undefined,
  after: ViewValue,
): { patch?: Patch; rows?: RowsDelta<object> } {
  const key = (ROW_KEYS as Partial<Record<ViewKind, string>>)[kind]
  if (key === undefined) {
    const patch = diff(before, after)
    return patch === undefined ? {} : { patch }
  }
  const { rows: oldRows, ...old } = (before ?? {}) as { rows?: readonly object[] }
  const { rows: newRows = [], ...now } = after as { rows?: readonly object[] }
  const patch = diff(before && old, now)
  const rows = diffRows(oldRows, newRows, key as never)
  return { ...(patch && { patch }), ...(rows && { rows }) }
}
