/** `beampeer names` and `ping`, of servers that are no EPMD, or none to be trusted. */
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { cli } from '../../support/cli.js'

/** A server that answers each connection's first bytes with `answer`; what the command says of it. */
async function names(answer: Buffer, ...args: string[]) {
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', () => socket.end(answer))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    return await cli(['names', '--port', String((server.address() as AddressInfo).port), ...args])
  } finally {
    server.close()
  }
}

test('ping does not claim that an EPMD which stays silent knows the node', async () => {
  const server = createServer((socket) => void socket.on('error', () => undefined)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const ping = await cli(['ping', 'sil@127.0.0.1', '--timeout', '0.3'], {
    env: { ERL_EPMD_PORT: String(port), BEAMPEER_COOKIE: 'c' },
  })
  expect(ping).toMatchObject({ code: 1, stdout: 'pang\n' })
  expect(ping.stderr).toContain('[NODE_CONNECT_TIMEOUT]')
  expect(ping.stderr).not.toContain('knows the node')
  server.close()
})

const reply = (text: string) => Buffer.concat([Buffer.from([0, 0, 0x11, 0x11]), Buffer.from(text)])

test('no control character of a name reaches the terminal', async () => {
  const hostile = reply('name a\u001b[31m\u009b1m at port 1\nname b at port 2\n')
  expect(await names(hostile)).toMatchObject({
    code: 0,
    stdout: 'name a\\x{1b}[31m\\x{9b}1m at port 1\nname b at port 2\n',
  })
  const { stdout } = await names(hostile, '--json')
  expect(stdout).toBe('[{"name":"a\\u001b[31m\\u009b1m","port":1},{"name":"b","port":2}]\n')
})

test('a server that is no EPMD is told as one', async () => {
  const answer = await names(Buffer.from('HTTP/1.0 400\r\n\r\n'))
  expect(answer).toMatchObject({ code: 1, stdout: '' })
  expect(answer.stderr).toContain('[EPMD_BAD_REPLY]')
})
