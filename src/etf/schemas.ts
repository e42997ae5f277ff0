/** `s`: the functions that make schemas, under one name, so that `s.atom` and the term constructor `atom` do not clash. */
import * as containers from './schema-containers.js'
import * as terms from './schema-terms.js'

export const s = { ...terms, ...containers } as const
