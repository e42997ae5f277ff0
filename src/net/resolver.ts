import type * as Dns from 'node:dns/promises'

/** The system's name resolution, loaded at its first use: of an address there is nothing to resolve. */
export const resolver = (): typeof Dns => process.getBuiltinModule('node:dns').promises
