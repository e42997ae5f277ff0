/**
 * A visible node makes all visible nodes that it is connected to known to each other, those too whose releases do not go
 * together. OTP's own nodes do the same, and cut nobody off for it; so does this one, but it says so in its log, once for
 * each node that comes.
 *
 *     OTP 23, and OTP 26 or newer     refuse each other's connections (flags that 26 requires)
 *     OTP 25 or older, and OTP 29     the first message of a `pg` scope of 29 ends the scope of the older node, which
 *                                     accepts it from OTP 26 on
 */
import type { Atom } from '../etf/atom.js'
import { DistFlag, hasFlag } from '../handshake/flags.js'
import type { Cluster } from '../process/cluster.js'

export interface BridgeGuardOptions {
  cluster: Cluster
  /** What a connected node said in its handshake. */
  flagsOf(node: Atom): bigint | undefined
  /** Its release; Infinity if it is none of OTP. */
  releaseOf(node: Atom): Promise<number>
  warn(text: string): void
}

/** Looks at each visible connection that comes up. */
export function guardBridging(options: BridgeGuardOptions): void {
  options.cluster.listen({
    nodeUp: ({ node, hidden }) => {
      if (!hidden) void look(node, options)
    },
  })
}

/** Most clusters are of one age, which flags show: only where they do not is a node asked for its release. */
async function look(node: Atom, { cluster, flagsOf, releaseOf, warn }: BridgeGuardOptions): Promise<void> {
  const others = cluster
    .connected()
    .filter((other) => !other.hidden && other.node !== node)
    .filter((other) => mayNotGoTogether(flagsOf(node), flagsOf(other.node)))
  for (const { node: other } of others) {
    const [release, otherRelease] = await Promise.all([releaseOf(node), releaseOf(other)])
    const reason = incompatibility(release, otherRelease)
    if (reason === undefined || !cluster.isConnected(node) || !cluster.isConnected(other)) continue
    warn(
      `${node.name} (OTP ${release}) and ${other.name} (OTP ${otherRelease}) come to know each other through this ` +
        `visible node, but ${reason}; be a hidden node to be connected to both`,
    )
    return
  }
}

/** Why nodes of two releases must not meet; undefined when they may, and for what is no release of OTP. */
export function incompatibility(one: number, other: number): string | undefined {
  const [older, newer] = one < other ? [one, other] : [other, one]
  if (newer === Infinity) return undefined
  if (older < 24 && newer >= 26) return "they refuse each other's connections"
  if (older < 26 && newer >= 29)
    return `a pg scope of OTP ${newer} ends the scope of the same name of OTP ${older}`
  return undefined
}

function mayNotGoTogether(one: bigint | undefined, other: bigint | undefined): boolean {
  if (one === undefined || other === undefined) return false
  const [a, b] = [age(one), age(other)]
  return Math.min(a, b) < 28 && a !== b
}

/** A release of which these flags may be: 23 (and older), 24 to 27, 28, 29 (and newer, and other implementations). */
function age(flags: bigint): 23 | 24 | 28 | 29 {
  if (hasFlag(flags, DistFlag.NATIVE_RECORDS)) return 29
  if (hasFlag(flags, DistFlag.ALTACT_SIG)) return 28
  return hasFlag(flags, DistFlag.V4_NC | DistFlag.UNLINK_ID) ? 24 : 23
}
