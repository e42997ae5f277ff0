/**
 * The tags of the External Term Format ("erl_ext_dist", and RECORD_EXT from OTP 29's). A term is a tag byte and what
 * the tag says; on its own it is preceded by the version byte:
 *
 *     ┌─────┬─────┬────────┐        ┌─────┬────┬──────────┬───────────────┐
 *     │ 131 │ Tag │ Data … │   or   │ 131 │ 80 │ Size: 32 │ zlib of Tag … │
 *     └─────┴─────┴────────┘        └─────┴────┴──────────┴───────────────┘
 *
 * The encoder and decoder spell the numbers out in their `switch`es: V8 makes a jump table of literals only.
 */

/** The version byte of every term that stands alone. */
export const VERSION = 131
/** Tag of a compressed term; only right after {@link VERSION}. */
export const COMPRESSED = 80

/** The name of each tag in OTP's document. */
export const TAG_NAMES: Readonly<Record<number, string>> = Object.freeze({
  67: 'RECORD_EXT',
  70: 'NEW_FLOAT_EXT',
  77: 'BIT_BINARY_EXT',
  82: 'ATOM_CACHE_REF',
  88: 'NEW_PID_EXT',
  89: 'NEW_PORT_EXT',
  90: 'NEWER_REFERENCE_EXT',
  97: 'SMALL_INTEGER_EXT',
  98: 'INTEGER_EXT',
  99: 'FLOAT_EXT',
  100: 'ATOM_EXT',
  101: 'REFERENCE_EXT',
  102: 'PORT_EXT',
  103: 'PID_EXT',
  104: 'SMALL_TUPLE_EXT',
  105: 'LARGE_TUPLE_EXT',
  106: 'NIL_EXT',
  107: 'STRING_EXT',
  108: 'LIST_EXT',
  109: 'BINARY_EXT',
  110: 'SMALL_BIG_EXT',
  111: 'LARGE_BIG_EXT',
  112: 'NEW_FUN_EXT',
  113: 'EXPORT_EXT',
  114: 'NEW_REFERENCE_EXT',
  115: 'SMALL_ATOM_EXT',
  116: 'MAP_EXT',
  117: 'FUN_EXT',
  118: 'ATOM_UTF8_EXT',
  119: 'SMALL_ATOM_UTF8_EXT',
  120: 'V4_PORT_EXT',
  121: 'LOCAL_EXT',
})

/** The tag for an error message: its name and number, or what it is if it is none. */
export function describeTag(tag: number): string {
  const name = TAG_NAMES[tag]
  return name === undefined ? `tag ${tag}` : `${name} (${tag})`
}
