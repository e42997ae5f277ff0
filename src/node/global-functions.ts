/**
 * What other nodes call of module `global` on this one: part of its protocol, two questions that tools ask, and what C
 * nodes (`ei_global_register` and its like) ask through `rex`, since they have no name server.
 */
import { atom } from '../etf/atom.js'
import { Pid } from '../etf/identifiers.js'
import type { Term } from '../etf/terms.js'
import type { GlobalNames } from '../global/global-names.js'
import { ErlangError } from '../process/erlang-error.js'
import { withArity, type ExposedTable } from '../rex/exposed.js'

/**
 * Exposes them, whatever the option `standardFunctions` says: names would not be resolved without.
 * @param global undefined as long as nobody needs it on a hidden node
 * @param start the same, made where it is not there yet
 */
export function exposeGlobal(
  table: ExposedTable,
  global: () => GlobalNames | undefined,
  start: () => GlobalNames,
): void {
  table.exposeStandard('global', {
    resolve_it: (method: Term, name: Term, first: Term, second: Term) => {
      const names = global()
      if (names === undefined) throw new ErlangError('exit', atom('noproc'))
      return names.resolveIt(method, name, first, second)
    },
    whereis_name: (name: Term) => global()?.whereis(name) ?? atom('undefined'),
    registered_names: () => global()?.registered() ?? [],
    register_name_external: withArity(
      async (name: Term, pid: Term, method?: Term) => {
        if (!(pid instanceof Pid)) throw new ErlangError('error', atom('function_clause'))
        return atom((await start().registerExternal(name, pid, method)) ? 'yes' : 'no')
      },
      [2, 3],
    ),
    unregister_name_external: async (name: Term) => {
      await global()?.unregister(name)
      return atom('ok')
    },
  })
}
