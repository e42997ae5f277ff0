/** What a page may have done to a node: only to what the dashboard itself shows. */
import { BeampeerError } from '../errors.js'
import type { Fleet } from './fleet.js'
import type { Action } from './protocol.js'

/** @throws BeampeerError `DASHBOARD_UNKNOWN_NODE`, `DASHBOARD_BAD_MESSAGE` */
export function checkAction(action: Action, fleet: Fleet): void {
  const state = fleet.states.get(action.node)
  if (state === undefined) throw new BeampeerError('DASHBOARD_UNKNOWN_NODE', `${action.node} is not watched`)
  if (state.kind !== 'beam')
    throw new BeampeerError(
      'DASHBOARD_BAD_MESSAGE',
      `${action.node} is no BEAM: nothing can be done to it here`,
    )
  // A name that is none of its links would become a new atom there.
  if (action.kind === 'disconnect' && !state.sample?.links.some(({ peer }) => peer === action.peer))
    throw new BeampeerError('DASHBOARD_BAD_MESSAGE', `${action.node} has no link to ${action.peer}`)
}
