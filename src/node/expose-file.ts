/** Modules from JavaScript files: `node.exposeModule`, with a way to read the file anew while the node runs. */
import { wrong } from '../arguments.js'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ArgumentError } from '../errors.js'
import type { ExposedTable, ExposeOptions } from '../rex/exposed.js'

/** A file whose functions are exposed. */
export interface ExposedModule {
  readonly name: string
  /**
   * Reads the file anew and puts its functions in the place of the old ones; running calls end in the old ones. Files
   * that it imports itself are not read anew, and the old code stays in memory, as modules of JavaScript do.
   * @throws ArgumentError `BAD_OPTION`; the old functions then stay
   */
  reload(): Promise<void>
  /** @returns whether the module was still exposed */
  unexpose(): boolean
}

let loads = 0

export async function exposeFile(
  table: ExposedTable,
  name: string,
  file: string | URL,
  options: ExposeOptions | undefined,
): Promise<ExposedModule> {
  if (!(file instanceof URL) && typeof file !== 'string')
    wrong('the file of a module is a path or a URL', file)
  const url = file instanceof URL || file.startsWith('file:') ? new URL(file) : pathToFileURL(resolve(file))
  const load = async (fresh: boolean) => {
    // Modules are kept by their URL: another query is another module.
    if (fresh) url.searchParams.set('beampeer', String(++loads))
    let exported: Record<string, unknown>
    try {
      exported = (await import(url.href)) as Record<string, unknown>
    } catch (cause) {
      throw new ArgumentError('BAD_OPTION', `exposeModule ${name}: ${url.href} cannot be loaded`, { cause })
    }
    const functions = Object.entries(exported).filter(
      ([key, value]) => key !== 'default' && typeof value === 'function',
    )
    if (functions.length === 0)
      throw new ArgumentError('BAD_OPTION', `exposeModule ${name}: ${url.href} exports no function`)
    table.expose(name, Object.fromEntries(functions), options)
  }
  await load(false)
  return { name, reload: () => load(true), unexpose: () => table.unexpose(name) }
}
