// A visible beampeer node in a process of its own, told what to do by lines of JSON on its standard input, each answered by
// one on standard output: {"id": 1, "op": "register", "names": [["n", 1]]} -> {"id": 1, "value": [true]}.
//
//     node cluster-node.mjs NAME HOST COOKIE EPMD_PORT
import { createInterface } from 'node:readline'
import { atom, ErlangNode, print, tuple } from '../../lib/index.js'

const [name, host, cookie, epmdPort] = process.argv.slice(2)
const log = (level) => (message) => process.stderr.write(`${level} ${message}\n`)
const node = await ErlangNode.start(`${name}@${host}`, {
  cookie,
  hidden: false,
  epmd: { host: '127.0.0.1', port: Number(epmdPort) },
  listen: { host },
  netTicktime: 2,
  logger: { info: log('info'), warn: log('warning'), error: log('error') },
})
const term = (id) => tuple(atom('n'), id)
const sleeper = () => node.spawn((self) => self.receive())

node.pg.join('cluster', 'all', sleeper())

const operations = {
  connect: ({ to }) => node.connect(to),
  nodes: () => node.nodes(),
  sync: async () => {
    await node.global.sync()
    return 'ok'
  },
  async register({ ids }) {
    const results = []
    for (const id of ids) results.push(await node.global.register(term(id), sleeper()))
    return results
  },
  grouped: () =>
    node.pg
      .getMembers('cluster', 'all')
      .map((pid) => pid.node.name)
      .sort(),
  // Names and their processes, as text that is the same on every node.
  names: () =>
    node.global
      .registered()
      .map((each) => {
        const pid = node.global.whereis(each)
        return `${print(each)} ${pid.node.name} ${pid.id} ${pid.serial} ${pid.creation}`
      })
      .sort(),
}

createInterface({ input: process.stdin }).on('line', async (line) => {
  const { id, op, ...args } = JSON.parse(line)
  let answer
  try {
    answer = { id, value: await operations[op](args) }
  } catch (error) {
    answer = { id, error: String(error.stack ?? error) }
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`)
})
process.stdout.write('{"id":0,"value":"ready"}\n')
