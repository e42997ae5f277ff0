/**
 * A node that is only what a test says: functions by `module:name`, called as erpc would call them. Lists of calls
 * (`lists:map`, `zipwith`, `zipwith3`) work as stdlib's do.
 */
import { Atom, RemoteNode, type ExportFun, type Term } from '../../src/index.js'
import type { RemoteNodeParts } from '../../src/rex/remote-node.js'

type Functions = Record<string, (...args: never[]) => unknown>

export interface FakeRemote {
  readonly remote: RemoteNode
  /** Calls so far, as `module:name`, those inside of lists of calls too. */
  readonly calls: string[]
}

export function fakeRemote(name: string, functions: Functions): FakeRemote {
  const calls: string[] = []
  const apply = (module: string, fun: string, args: readonly unknown[]): unknown => {
    calls.push(`${module}:${fun}`)
    if (module === 'lists') return lists(fun, args)
    const called = functions[`${module}:${fun}`]
    if (called === undefined) throw new Error(`the test has no ${module}:${fun}/${args.length}`)
    return called(...(args as never[]))
  }
  const lists = (fun: string, [first, ...rest]: readonly unknown[]): unknown[] => {
    const { module, function: called } = first as ExportFun
    const columns = rest as unknown[][]
    return (columns[0] ?? []).map((_, at) => {
      const args = columns.map((column) => column[at])
      if (text(module) !== 'erlang' || text(called) !== 'apply')
        return apply(text(module), text(called), args)
      return apply(text(args[0]), text(args[1]), args[2] as unknown[])
    })
  }
  const erpc = {
    call: (_node: Atom, module: string, fun: string, args: readonly unknown[]) =>
      Promise.resolve().then(() => apply(module, fun, args) as Term),
  }
  return { remote: new RemoteNode(name, { erpc } as unknown as RemoteNodeParts), calls }
}

function text(term: unknown): string {
  return term instanceof Atom ? term.name : String(term)
}
