// What rabbitmqctl shows, read from Node.js: status, queues and connections of a RabbitMQ node, by the calls that
// rabbitmqctl makes itself. Nothing is installed on RabbitMQ's side.
//
//   node examples/rabbitmq.js rabbit@myhost          the cookie from BEAMPEER_COOKIE or ~/.erlang.cookie
//   node examples/rabbitmq.js rabbit@myhost --json
import { asText, atom, ErlangNode, ErlMap, ErlFloat, RemoteError, Tuple } from 'beampeer'

const QUEUE_ITEMS = ['name', 'messages', 'consumers', 'state', 'durable']
const CONNECTION_ITEMS = ['name', 'user', 'state', 'channels']

/** Status, queues of all virtual hosts, and connections of the cluster that `name` is in. */
export async function readRabbit(node, name) {
  const rabbit = node.at(name, { timeoutMs: 30_000 })
  const status = properties(await rabbit.call('rabbit', 'status'))
  const members = await running(rabbit)
  const vhosts = await rabbit.module('rabbit_vhost').list_names()

  const queues = []
  for (const vhost of vhosts) {
    // Each member of the cluster sends its own queues to us, one message a queue.
    const listing = rabbit.emit(
      'rabbit_amqqueue',
      'emit_info_all',
      ({ ref, pid }) => [members, vhost, QUEUE_ITEMS.map(atom), ref, pid],
      { emitters: members.length },
    )
    for await (const item of listing) {
      for (const queue of infos(item)) queues.push({ vhost: asText(vhost), ...properties(queue) })
    }
  }

  const connections = []
  const listing = rabbit.emit(
    'rabbit_networking',
    'emit_connection_info_all',
    ({ ref, pid }) => [members, CONNECTION_ITEMS.map(atom), ref, pid],
    { emitters: members.length },
  )
  for await (const item of listing)
    for (const connection of infos(item)) connections.push(properties(connection))

  return {
    version: status.rabbitmq_version ?? status.rabbit_version,
    erlang: status.erlang_version?.split('\n')[0],
    members: members.map(String),
    queues,
    connections,
  }
}

/** The members of the cluster that run; the function has another name since RabbitMQ 3.11. */
async function running(rabbit) {
  try {
    return await rabbit.call('rabbit_nodes', 'list_running')
  } catch (error) {
    if (!(error instanceof RemoteError) || error.reason !== atom('undef')) throw error
    return rabbit.call('rabbit_nodes', 'all_running')
  }
}

/** Some items hold a list of infos, most one info, which is a list of pairs; an empty one means nothing is there. */
function infos(item) {
  if (!Array.isArray(item) || item.length === 0) return []
  return item[0] instanceof Tuple ? [item] : item
}

/** A list of pairs or a map as an object of plain values. */
function properties(term) {
  const pairs = term instanceof ErlMap ? [...term] : term.map(({ elements }) => elements)
  return Object.fromEntries(pairs.map(([key, value]) => [String(key), plain(value)]))
}

function plain(value) {
  if (value instanceof ErlFloat) return value.value
  // {resource, VHost, Kind, Name}
  if (value instanceof Tuple) return value.tag === 'resource' ? asText(value.elements[3]) : String(value)
  if (typeof value !== 'object') return value
  return asText(value) ?? String(value)
}

async function main(name, asJson) {
  // Hidden, and named by the broker: it learns no new name from this.
  const node = await ErlangNode.start(undefined)
  try {
    await node.dial(name)
    const facts = await readRabbit(node, name)
    if (asJson) return console.log(JSON.stringify(facts))
    console.log(`RabbitMQ ${facts.version} on ${facts.members.join(', ')} (${facts.erlang})`)
    console.table(facts.queues)
    console.table(facts.connections)
  } finally {
    await node.stop()
  }
}

if (process.argv[1]?.endsWith('rabbitmq.js'))
  await main(process.argv[2] ?? 'rabbit@localhost', process.argv.includes('--json'))
