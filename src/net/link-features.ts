/**
 * The seam between handshake and channel, which do not know each other: what negotiated flags mean for the form of
 * messages and for the terms in them.
 */
import type { ChannelFeatures } from '../dist/channel.js'
import { ObjectKeyBudget } from '../etf/budget.js'
import type { EncodeContext } from '../etf/encode.js'
import { DistFlag, hasFlag } from '../handshake/flags.js'
import type { Limits } from '../limits.js'

/** What the channel may use. Either of two flags puts a distribution header on every message (erts, `dist.c`). */
export function channelFeatures(negotiated: bigint): ChannelFeatures {
  const has = (flag: bigint): boolean => hasFlag(negotiated, flag)
  return {
    header: has(DistFlag.DIST_HDR_ATOM_CACHE) || has(DistFlag.FRAGMENTS),
    atomCache: has(DistFlag.DIST_HDR_ATOM_CACHE),
    fragments: has(DistFlag.FRAGMENTS),
    sendSender: has(DistFlag.SEND_SENDER),
    unlinkId: has(DistFlag.UNLINK_ID),
    exitPayload: has(DistFlag.EXIT_PAYLOAD),
    spawn: has(DistFlag.SPAWN),
    alias: has(DistFlag.ALIAS),
    altactSig: has(DistFlag.ALTACT_SIG),
    monitor: has(DistFlag.DIST_MONITOR | DistFlag.DIST_MONITOR_NAME),
  }
}

/** What terms for this peer may hold. Without V4_NC (OTP 23) references have 3 words, and pids are small. */
export function encodeContext(negotiated: bigint, limits: Limits): EncodeContext {
  const wide = hasFlag(negotiated, DistFlag.V4_NC)
  return {
    maxReferenceWords: wide ? 5 : 3,
    bigPids: wide,
    nativeRecords: hasFlag(negotiated, DistFlag.NATIVE_RECORDS),
    objectKeys: new ObjectKeyBudget(limits),
    limits,
  }
}
