/**
 * beampeer as the caller of a BEAM, and as a crowd of idle peers: node beampeer-client.js LIB COOKIE. Commands as JSON
 * lines on standard input, answers as JSON lines.
 */
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

const [lib, cookie] = process.argv.slice(2)
const { ErlangNode } = await import(pathToFileURL(path.join(lib, 'index.js')).href)
const names = `${process.pid}`
const node = await ErlangNode.start(`caller_${names}@127.0.0.1`, { cookie, epmd: 'external' })
const crowd = []
let made = 0
console.log(`ready ${process.pid} ${node.name}`)

const commands = {
  async calls({ kind, target, inFlight, ms, pid }) {
    const call = () => node[kind].call(target, 'driver', 'add', [1, 2])
    await call()
    const samples = []
    const before = cpu(pid)
    const start = now()
    const worker = async () => {
      while (now() - start < ms * 1e3) {
        const sent = now()
        if ((await call()) !== 3) throw new Error('a wrong sum')
        samples.push(now() - sent)
      }
    }
    await Promise.all(Array.from({ length: inFlight }, worker))
    const us = now() - start
    samples.sort((a, b) => a - b)
    const at = (percent) => samples[Math.floor((samples.length * percent) / 100)]
    return { count: samples.length, us, cpu_us: cpu(pid) - before, p50: at(50), p99: at(99) }
  },
  /** Hidden nodes that connect to the target and say nothing. */
  async crowd({ target, host, port, size }) {
    while (crowd.length < size) {
      const batch = Array.from({ length: Math.min(20, size - crowd.length) }, async () => {
        const options = { cookie, epmd: 'none', listen: false, resolve: () => ({ host, port }) }
        const one = await ErlangNode.start(`idle${++made}_${names}@127.0.0.1`, options)
        await one.dial(target)
        return one
      })
      crowd.push(...(await Promise.all(batch)))
    }
    return { size: crowd.length }
  },
  async disperse() {
    await Promise.all(crowd.splice(0).map((one) => one.stop()))
    return { size: 0 }
  },
}

function now() {
  return Number(process.hrtime.bigint() / 1000n)
}

function cpu(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1].split(' ')
  return 10_000 * (Number(fields[11]) + Number(fields[12]))
}

for await (const line of createInterface({ input: process.stdin })) {
  const { command, ...given } = JSON.parse(line)
  try {
    console.log(JSON.stringify(await commands[command](given)))
  } catch (error) {
    console.error(error)
    console.log(JSON.stringify({ failed: 1 }))
  }
}
await commands.disperse()
await node.stop()
