/** What other nodes call of module `global` on this one: part of its protocol, and two questions that tools ask. */
import { atom } from '../etf/atom.js'
import type { Term } from '../etf/terms.js'
import type { GlobalNames } from '../global/global-names.js'
import { ErlangError } from '../process/erlang-error.js'
import type { ExposedTable } from '../rex/exposed.js'

/** Exposes them, whatever the option `standardFunctions` says: names would not be resolved without. */
export function exposeGlobal(table: ExposedTable, global: () => GlobalNames | undefined): void {
  table.exposeStandard('global', {
    resolve_it: (method: Term, name: Term, first: Term, second: Term) => {
      const names = global()
      if (names === undefined) throw new ErlangError('exit', atom('noproc'))
      return names.resolveIt(method, name, first, second)
    },
    whereis_name: (name: Term) => global()?.whereis(name) ?? atom('undefined'),
    registered_names: () => global()?.registered() ?? [],
  })
}
