/**
 * Distribution flags: what a node can do, told in the handshake ("Distribution Flags" of the distribution protocol).
 * The intersection of both sides' flags governs the connection.
 *
 * Bits 0 to 31 travelled in the old name message (`n`), bits 32 to 63 in its complement; since OTP 23 all 64 in one.
 * `MANDATORY_25_DIGEST` is bit 26 in every release (the document of OTP 25 gives another number), and stands for all
 * flags that OTP 25 requires.
 */

/** Every flag by the name that OTP gives it. */
export const DistFlag = Object.freeze({
  PUBLISHED: 1n << 0n,
  ATOM_CACHE: 1n << 1n,
  EXTENDED_REFERENCES: 1n << 2n,
  DIST_MONITOR: 1n << 3n,
  FUN_TAGS: 1n << 4n,
  DIST_MONITOR_NAME: 1n << 5n,
  HIDDEN_ATOM_CACHE: 1n << 6n,
  NEW_FUN_TAGS: 1n << 7n,
  EXTENDED_PIDS_PORTS: 1n << 8n,
  EXPORT_PTR_TAG: 1n << 9n,
  BIT_BINARIES: 1n << 10n,
  NEW_FLOATS: 1n << 11n,
  UNICODE_IO: 1n << 12n,
  DIST_HDR_ATOM_CACHE: 1n << 13n,
  SMALL_ATOM_TAGS: 1n << 14n,
  UTF8_ATOMS: 1n << 16n,
  MAP_TAG: 1n << 17n,
  BIG_CREATION: 1n << 18n,
  SEND_SENDER: 1n << 19n,
  BIG_SEQTRACE_LABELS: 1n << 20n,
  EXIT_PAYLOAD: 1n << 22n,
  FRAGMENTS: 1n << 23n,
  HANDSHAKE_23: 1n << 24n,
  UNLINK_ID: 1n << 25n,
  MANDATORY_25_DIGEST: 1n << 26n,
  SPAWN: 1n << 32n,
  NAME_ME: 1n << 33n,
  V4_NC: 1n << 34n,
  ALIAS: 1n << 35n,
  ALTACT_SIG: 1n << 37n,
  NATIVE_RECORDS: 1n << 38n,
} as const)

const F = DistFlag

/** What OTP 25 requires of a peer, and what `MANDATORY_25_DIGEST` alone stands for. */
export const MANDATORY_25 =
  F.EXTENDED_REFERENCES |
  F.FUN_TAGS |
  F.EXTENDED_PIDS_PORTS |
  F.NEW_FUN_TAGS |
  F.EXPORT_PTR_TAG |
  F.BIT_BINARIES |
  F.NEW_FLOATS |
  F.UTF8_ATOMS |
  F.MAP_TAG |
  F.BIG_CREATION |
  F.HANDSHAKE_23

/** What OTP 26 and later require. */
export const MANDATORY_26 = MANDATORY_25 | F.UNLINK_ID | F.V4_NC

/** What this package requires of a peer: what every release since OTP 23 has. */
export const REQUIRED = MANDATORY_25

/**
 * What this package keeps, and so tells every peer. OTP 23 to 29 connect to it.
 *
 * Not among them: PUBLISHED (a visible node must answer `global`); ATOM_CACHE and HIDDEN_ATOM_CACHE (obsolete);
 * DIST_HDR_ATOM_CACHE and FRAGMENTS (they change the form of every message, and are the caller's to add);
 * NAME_ME (a request, set by the initiator).
 */
export const ADVERTISED =
  MANDATORY_26 |
  F.MANDATORY_25_DIGEST |
  F.DIST_MONITOR |
  F.DIST_MONITOR_NAME |
  F.UNICODE_IO |
  F.SMALL_ATOM_TAGS |
  F.SEND_SENDER |
  F.BIG_SEQTRACE_LABELS |
  F.EXIT_PAYLOAD |
  F.SPAWN |
  F.ALIAS |
  F.ALTACT_SIG |
  F.NATIVE_RECORDS

/** The flags with those spelled out that `MANDATORY_25_DIGEST` stands for (dist_util `expand_mandatory_25_flag`). */
export function expandFlags(flags: bigint): bigint {
  return hasFlag(flags, F.MANDATORY_25_DIGEST) ? flags | MANDATORY_25 : flags
}

/** Whether all bits of `flag` are set. */
export function hasFlag(flags: bigint, flag: bigint): boolean {
  return (flags & flag) === flag
}

/** Names of the flags that are set, lowest bit first; a bit without a name is `UNKNOWN<…>` as OTP prints it. */
export function flagNames(flags: bigint): string[] {
  const names: string[] = []
  for (let bit = 0n; bit < 64n; bit++) {
    const flag = 1n << bit
    if ((flags & flag) !== 0n) names.push(NAMES.get(flag) ?? `UNKNOWN<16#${flag.toString(16).toUpperCase()}>`)
  }
  return names
}

/** Names of the flags of `mandatory` that `flags` lacks. */
export function missingFlagNames(mandatory: bigint, flags: bigint): string[] {
  return flagNames(mandatory & ~expandFlags(flags))
}

const NAMES = new Map<bigint, string>(Object.entries(DistFlag).map(([name, flag]) => [flag, name]))
