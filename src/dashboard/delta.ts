/**
 * What changed between two states of plain data, and putting it together again. Runs in browsers.
 *
 * Objects as in JSON Merge Patch (RFC 7396): a key with another value has the new one, an object in both has a patch of
 * its own, a key that is gone (or undefined) has null. Arrays are replaced whole, so they may not be patched into. The
 * data itself has no null. Tables of rows have a delta by a row's key.
 */

/** Of an object; `null` takes a key away. */
export type Patch = { readonly [key: string]: unknown }

/** Of an array of rows with a key each. */
export interface RowsDelta<Row> {
  /** Keys of all rows, in order; left out when neither changed. */
  readonly order?: readonly string[]
  /** Rows that are new (whole) or changed (a patch), by key. What is not in `order` is gone. */
  readonly rows: readonly (readonly [key: string, change: Patch | Row])[]
}

/** Turns `before` into `after`; undefined when they are the same. */
export function diff(before: object | undefined, after: object): Patch | undefined {
  const patch: Record<string, unknown> = {}
  let changed = before === undefined
  const was = (before ?? {}) as Patch
  const now = after as Patch
  for (const key of Object.keys(now)) {
    const value = now[key]
    const old = was[key]
    if (value === undefined || same(old, value)) continue
    patch[key] = isPlain(old) && isPlain(value) ? diff(old, value) : value
    changed = true
  }
  for (const key of Object.keys(was)) {
    if (was[key] !== undefined && now[key] === undefined) {
      patch[key] = null
      changed = true
    }
  }
  return changed ? patch : undefined
}

/** A new object: `before` with a patch applied. Parts that did not change are shared with it. */
export function apply(before: object | undefined, patch: Patch): Patch {
  const result: Record<string, unknown> = { ...before }
  for (const key of Object.keys(patch)) {
    const value = patch[key]
    if (value === null) delete result[key]
    else result[key] = isPlain(value) && isPlain(result[key]) ? apply(result[key], value as Patch) : value
  }
  return result
}

/** Undefined when nothing changed. Rows whose keys are not unique come whole, with their places as keys. */
export function diffRows<Row extends object>(
  before: readonly Row[] | undefined,
  after: readonly Row[],
  key: keyof Row & string,
): RowsDelta<Row> | undefined {
  const keys = keysOf(after, key)
  const oldKeys = keysOf(before ?? [], key)
  const old = new Map(oldKeys.map((name, at) => [name, before?.[at]]))
  const rows: [string, Patch][] = []
  after.forEach((row, at) => {
    const change = diff(old.get(keys[at] as string), row)
    if (change !== undefined) rows.push([keys[at] as string, change])
  })
  const moved = before === undefined || !same(oldKeys, keys)
  if (!moved && rows.length === 0) return undefined
  return { ...(moved ? { order: keys } : {}), rows }
}

/** The rows after a delta. */
export function applyRows<Row extends object>(
  before: readonly Row[] | undefined,
  delta: RowsDelta<Row>,
  key: keyof Row & string,
): Row[] {
  const oldKeys = keysOf(before ?? [], key)
  const found = new Map<string, Row | undefined>()
  oldKeys.forEach((name, at) => found.set(name, before?.[at]))
  for (const [name, change] of delta.rows) found.set(name, apply(found.get(name), change as Patch) as Row)
  return (delta.order ?? oldKeys).flatMap((name) => found.get(name) ?? [])
}

function keysOf<Row extends object>(rows: readonly Row[], key: keyof Row & string): string[] {
  const keys = rows.map((row) => String(row[key]))
  return new Set(keys).size === keys.length ? keys : keys.map((_, at) => `#${at}`)
}

function isPlain(value: unknown): value is object {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}

/** Deep equality of plain data and of instances of simple classes. */
export function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false
  if (Array.isArray(a)) {
    const other = b as readonly unknown[]
    return a.length === other.length && a.every((value, at) => same(value, other[at]))
  }
  for (const key of Object.keys(a)) if (!same((a as Patch)[key], (b as Patch)[key])) return false
  for (const key of Object.keys(b))
    if ((a as Patch)[key] === undefined && (b as Patch)[key] !== undefined) return false
  return true
}
