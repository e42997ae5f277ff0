/** `beampeer names`: what `epmd -names` shows, of any host. */
import { epmdNames } from '../index.js'

export async function namesCommand(host: string, options: { port?: number }): Promise<void> {
  const names = await epmdNames(host, options)
  for (const { name, port } of names) console.log(`name ${name} at port ${port}`)
}
