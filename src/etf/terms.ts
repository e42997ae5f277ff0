/**
 * The vocabulary of Erlang terms in JavaScript: {@link Term} is what `decode` gives, {@link Encodable} what `encode`
 * takes. Nothing is lost between them: whatever comes back from `decode` is `=:=` to what the BEAM sent.
 */
import type { Atom } from './atom.js'
import type { Fun } from './fun.js'
import type { ExportFun, Pid, Port, Reference } from './identifiers.js'
import type { ErlMap } from './map.js'
import type { Tuple } from './tuple.js'
import type { BitString, Charlist, ErlFloat, ImproperList, LocalTerm, NativeRecord } from './values.js'

/** A decoded Erlang term. */
export type Term =
  | Atom
  | boolean
  | number
  | bigint
  | ErlFloat
  | Uint8Array
  | BitString
  | readonly Term[]
  | ImproperList
  | Tuple<readonly Term[]>
  | ErlMap
  | Pid
  | Port
  | Reference
  | Fun
  | ExportFun
  | NativeRecord
  | LocalTerm

/** What `encode` takes: every term, and JavaScript values that have one obvious term. */
export type Encodable =
  | Term
  | string
  | null
  | undefined
  | Charlist
  | readonly Encodable[]
  | Tuple<readonly Encodable[]>
  | ErlMap<Encodable, Encodable>
  | Map<Encodable, Encodable>
  | { readonly [key: string]: Encodable }
