/** Registered names: one process a name, one name a process, as `erlang:register/2` has it. */
import { ArgumentError, NodeError } from '../errors.js'
import { atomName, internAtom, type Atom } from '../etf/atom.js'
import type { Process } from './process.js'

export class Registry {
  readonly #byName = new Map<string, Process>()

  /** @throws NodeError `PROCESS_NAME_TAKEN`, `PROCESS_NOT_ALIVE`; ArgumentError for the name `undefined` */
  register(name: Atom | string, process: Process): void {
    const key = nameText(name)
    if (key === 'undefined')
      throw new ArgumentError('BAD_ARGUMENT', 'a process cannot be registered as undefined')
    if (!process.alive) throw new NodeError('PROCESS_NOT_ALIVE', `register ${key}: the process is not alive`)
    if (process.registeredName !== undefined) {
      throw new NodeError(
        'PROCESS_NAME_TAKEN',
        `register ${key}: the process is registered as ${process.registeredName}`,
      )
    }
    if (this.#byName.has(key)) throw new NodeError('PROCESS_NAME_TAKEN', `the name ${key} is registered`)
    this.#byName.set(key, process)
    process.registeredName = internAtom(key)
  }

  /** @returns whether the name was registered */
  unregister(name: Atom | string): boolean {
    const key = nameText(name)
    const process = this.#byName.get(key)
    if (process === undefined) return false
    this.#byName.delete(key)
    process.registeredName = undefined
    return true
  }

  whereis(name: Atom | string | boolean): Process | undefined {
    return this.#byName.get(nameText(name))
  }

  names(): Atom[] {
    return [...this.#byName.keys()].map((name) => internAtom(name))
  }
}

function nameText(name: Atom | string | boolean): string {
  return typeof name === 'string' ? name : (atomName(name) as string)
}
