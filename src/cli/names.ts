/** `beampeer names`: what `epmd -names` shows, of any host. */
import { epmdNames } from '../index.js'
import { writeLine } from './output.js'
import { waitingFor } from './progress.js'
import { jsonText, visible } from './visible.js'

export interface NamesCommandOptions {
  port?: number
  json?: true
}

export async function namesCommand(host: string, { json, ...options }: NamesCommandOptions): Promise<void> {
  using _ = waitingFor(`waiting for the EPMD of ${host}`)
  const names = await epmdNames(host, options)
  if (json === true) writeLine(jsonText(names.map(({ name, port }) => ({ name, port }))))
  else for (const { name, port } of names) writeLine(`name ${visible(name)} at port ${port}`)
}
