/** What `beampeer/etf` exports on every platform; node.ts and web.ts add their binding. */
export { EtfError } from '../errors.js'
export { DEFAULT_LIMITS, type Limits } from '../limits.js'
export { asText } from './as-text.js'
export { Atom, atom, atomCount, atomName, type AtomNamed } from './atom.js'
export { AtomBudget, ObjectKeyBudget } from './budget.js'
export { compare, compareKeys } from './compare.js'
export { decode, type DecodeOptions } from './decode.js'
export { encode, type EncodeOptions } from './encode.js'
export { isEqual } from './equal.js'
export { Fun } from './fun.js'
export { ExportFun, Pid, Port, Reference } from './identifiers.js'
export { keyOf, type TermKey } from './keys.js'
export { ErlMap } from './map.js'
export { formatIo, type FormatOptions } from './format.js'
export { match, matcher, type Match, type Matcher } from './match.js'
export { EtfParseError } from './parse-error.js'
export { parse, type ParseOptions } from './parse.js'
export { toPlain, type PlainOptions } from './plain.js'
export { print, type PrintOptions } from './print.js'
export type { AnySchema, ObjectOptions, OkOrError } from './schema-containers.js'
export { EtfSchemaError, Schema, type SchemaIssue } from './schema.js'
export { s } from './schemas.js'
export type { Infer, StandardSchemaV1 } from './standard-schema.js'
export type { Encodable, Term } from './terms.js'
export { isTuple, Tuple, tuple } from './tuple.js'
export {
  BitString,
  Charlist,
  charlist,
  ErlFloat,
  float,
  ImproperList,
  LocalTerm,
  NativeRecord,
} from './values.js'
