// The other node of the demonstration where there is no Erlang: a shell that evaluates JavaScript on a beampeer node.
//
//   node scripts/demo-peer.mjs NAME@HOST COOKIE
import { createInterface } from 'node:readline'
import * as beampeer from '../lib/index.js'

const [, , name, cookie] = process.argv
const node = await beampeer.ErlangNode.start(name, { cookie, epmd: 'external' })
node.expose('lists', { seq: (from, to) => Array.from({ length: to - from + 1 }, (_, i) => from + i) })

/** Sends a process `{From, What}` and gives its answer. */
const ask = (to, what) =>
  inProcess((self) => {
    self.send(to, beampeer.tuple(self.pid, what))
    return self.receive()
  })

/** Monitors a process, tells it to stop, and gives what the monitor brings. */
const monitorAndStop = (to) =>
  inProcess((self) => {
    self.monitor(to)
    self.send(to, beampeer.atom('stop'))
    return self.receive()
  })

const inProcess = (body) =>
  new Promise((resolve, reject) => node.spawn(async (self) => body(self).then(resolve, reject)))

const scope = { node, ask, monitorAndStop, process }
const AsyncFunction = (async () => {}).constructor
const evaluate = (line) =>
  new AsyncFunction(...Object.keys(scope), `return (${line})`)(...Object.values(scope))

let count = 0
const prompt = () => process.stdout.write(`(${node.name})${++count}> `)
prompt()
for await (const line of createInterface({ input: process.stdin })) {
  try {
    console.log(beampeer.print(await evaluate(line), { printable: 'unicode' }))
  } catch (error) {
    console.log(`error: ${error.message}`)
  }
  prompt()
}
process.exit()
