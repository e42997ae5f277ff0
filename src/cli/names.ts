/** `beampeer names`: what `epmd -names` shows, of any host. */
export async function namesCommand(host: string, options: { port?: number }): Promise<void> {
  const { epmdNames } = await import('../index.js')
  const names = await epmdNames(host, options)
  for (const { name, port } of names) console.log(`name ${name} at port ${port}`)
}
