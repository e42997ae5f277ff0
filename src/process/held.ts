/**
 * How many links and monitors the processes of another node made on ours. Each knows where it is counted, so that it is
 * given back however it ends, and whatever connection there is by then.
 */
/** How many links and monitors the processes of a node made on ours, over one connection. */
export interface Held {
  count: number
}

/** A link or monitor is gone. */
export function giveBack(of: { readonly held: Held | undefined } | undefined): void {
  if (of?.held !== undefined) of.held.count--
}
