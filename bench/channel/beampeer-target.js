/**
 * beampeer as the target: node beampeer-target.js LIB NAME COOKIE. Written with the public door only, as a user would.
 * Prints `ready PID NAME PORT`; `gc` on standard input collects garbage (with --expose-gc) and prints the memory in use.
 */
import { createInterface } from 'node:readline'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

const [lib, name, cookie] = process.argv.slice(2)
const { ErlangNode, Tuple, atom } = await import(pathToFileURL(path.join(lib, 'index.js')).href)
const node = await ErlangNode.start(name, { cookie, epmd: 'external' })
const sync = atom('sync')

node.expose('driver', { add: (a, b) => a + b })
node.register('echo', node.spawn(echo))
node.register('sink', node.spawn(sink))
node.register('source', node.spawn(source))
console.log(`ready ${process.pid} ${node.name} ${node.port}`)

async function echo(self) {
  for await (const { elements } of self) self.send(elements[0], elements[1])
}

async function sink(self) {
  for await (const message of self) if (message instanceof Tuple) self.send(message.elements[0], sync)
}

async function source(self) {
  for await (const { elements } of self) {
    const [to, size, count] = elements
    const bytes = new Uint8Array(size).fill(7)
    for (let i = 0; i < count; i++) if (!self.send(to, bytes)) await node.writable(to.node)
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'gc') {
    globalThis.gc()
    console.log(JSON.stringify({ ...process.memoryUsage(), connected: node.nodes('connected').length }))
  }
}
await node.stop()
