/**
 * beampeer as the target: node beampeer-target.js LIB NAME COOKIE. Written with the public door only, as a user would.
 * Prints `ready PID NAME PORT`. On standard input, `gc` collects garbage (with --expose-gc) and prints the memory in use;
 * `flood NODE` starts to send to a process of a node as fast as `send` and `writable` allow; `flooded` prints how much was.
 */
import { createInterface } from 'node:readline'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

const [lib, name, cookie] = process.argv.slice(2)
const { ErlangNode, Tuple, atom } = await import(pathToFileURL(path.join(lib, 'index.js')).href)
const node = await ErlangNode.start(name, { cookie, epmd: 'external' })
const sync = atom('sync')
const prepare = atom('prepare')

node.expose('driver', { add: (a, b) => a + b })
node.register('echo', node.spawn(echo))
node.register('sink', node.spawn(sink))
node.register('source', node.spawn(source))
node.register(
  'unread',
  node.spawn(() => new Promise(() => undefined)),
)
let flooded = 0
let prepared
console.log(`ready ${process.pid} ${node.name} ${node.port}`)

async function echo(self) {
  for await (const { elements } of self) self.send(elements[0], elements[1])
}

async function sink(self) {
  for await (const message of self) if (message instanceof Tuple) self.send(message.elements[0], sync)
}

async function source(self) {
  for await (const { elements } of self) {
    if (elements[1] === prepare) {
      prepared = new Uint8Array(elements[2]).fill(7)
      self.send(elements[0], atom('prepared'))
    } else await pour(self, ...elements)
  }
}

async function pour(self, to, size, count) {
  const bytes = prepared?.length === size ? prepared : new Uint8Array(size).fill(7)
  prepared = undefined
  for (let i = 0; i < count; i++) if (!self.send(to, bytes)) await node.writable(to.node)
}

async function flood(to) {
  for (let i = 0; ; i++) {
    const room = node.send({ name: 'sink', node: to }, new Uint8Array(1000))
    flooded++
    if (!room) await node.writable(to)
    else if (i % 100 === 0) await new Promise(setImmediate)
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'gc') {
    globalThis.gc()
    console.log(JSON.stringify({ ...process.memoryUsage(), connected: node.nodes('connected').length }))
  } else if (line.startsWith('flood ')) {
    void flood(line.slice(6)).catch(() => undefined)
    console.log('{}')
  } else if (line === 'flooded') console.log(JSON.stringify({ messages: flooded }))
}
await node.stop()
