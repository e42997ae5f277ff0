// Captures the handshakes of two real Erlang nodes, message by message, into test/vectors/handshake-otp<release>.json.
//
//   node scripts/capture-handshake-vectors.js                          with the `erl` on the path
//   node scripts/capture-handshake-vectors.js chroot /srv/otp-29 erl   with another one
//
// This script is the EPMD of both nodes (just enough of one), and tells the first that the second listens at a relay of
// its own. Three handshakes: between named nodes, of a node that asks for a name, and with a second node whose EPMD
// entry says version 5, to which OTP 23 and 24 open with the old name message.
import { Buffer } from 'node:buffer'
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'

const erl = process.argv.length > 2 ? process.argv.slice(2) : ['erl']
const COOKIE = 'vectors'
const ACCEPTOR = 'acceptor@127.0.0.1'

function listen(onSocket) {
  return new Promise((resolve) => {
    const server = createServer(onSocket)
    server.listen(0, '127.0.0.1', () => resolve({ server, port: server.address().port }))
  })
}

/** ALIVE2_REQ (120) is remembered and answered; PORT_PLEASE2_REQ (122) gives the relay's port. */
async function startEpmd(version, relayPort) {
  const registered = new Map()
  let told = () => {}
  const { server, port } = await listen((socket) => {
    socket.on('error', () => {})
    socket.on('data', (data) => {
      if (data[2] === 120) {
        const name = data.subarray(13, 13 + data.readUInt16BE(11)).toString()
        registered.set(name, data.readUInt16BE(3))
        const answer = Buffer.from([data.readUInt16BE(7) >= 6 ? 118 : 121, 0, 0, 0, 0, 1])
        socket.write(answer[0] === 118 ? answer : answer.subarray(0, 4))
        told()
      } else if (data[2] === 122) {
        const name = data.subarray(3)
        const answer = Buffer.alloc(14 + name.length)
        answer[0] = 119
        answer.writeUInt16BE(relayPort, 2)
        answer[4] = 77
        answer.writeUInt16BE(version, 6)
        answer.writeUInt16BE(5, 8)
        answer.writeUInt16BE(name.length, 10)
        name.copy(answer, 12)
        socket.end(answer)
      }
    })
  })
  const portOf = async (name) => {
    while (!registered.has(name)) await new Promise((resolve) => (told = resolve))
    return registered.get(name)
  }
  return { server, port, portOf }
}

function start(name, epmdPort, program) {
  const args = ['-noinput', '-start_epmd', 'false', '-name', name, '-setcookie', COOKIE, '-eval', program]
  return spawn(erl[0], [...erl.slice(1), ...args], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ERL_EPMD_PORT: String(epmdPort) },
  })
}

/** Cuts one direction into messages until the last of the handshake: `r` one way, `a` the other. */
function recorder(last, messages) {
  let input = Buffer.alloc(0)
  let ended = false
  return (chunk) => {
    input = Buffer.concat([input, chunk])
    while (!ended && input.length >= 2 && input.length >= 2 + input.readUInt16BE(0)) {
      const message = input.subarray(2, 2 + input.readUInt16BE(0))
      input = input.subarray(2 + message.length)
      messages.push(message.toString('hex'))
      ended = message[0] === last.charCodeAt(0)
    }
  }
}

async function capture(initiator, version) {
  const sent = []
  const received = []
  let target
  const relay = await listen((near) => {
    const far = connect(target, '127.0.0.1')
    const there = recorder('r', sent)
    const back = recorder('a', received)
    near.on('data', (chunk) => (there(chunk), far.write(chunk)))
    far.on('data', (chunk) => (back(chunk), near.write(chunk)))
    near.on('close', () => far.destroy())
    far.on('close', () => near.destroy())
    near.on('error', () => {})
    far.on('error', () => {})
  })
  const epmd = await startEpmd(version, relay.port)
  const acceptor = start(ACCEPTOR, epmd.port, 'ok.')
  target = await epmd.portOf(ACCEPTOR.split('@')[0])
  const connecting = start(initiator, epmd.port, `true = net_kernel:connect_node('${ACCEPTOR}'), halt().`)
  const code = await new Promise((resolve) => connecting.on('exit', resolve))
  acceptor.kill('SIGKILL')
  relay.server.close()
  epmd.server.close()
  if (code !== 0) throw new Error(`erl ended with ${code}`)
  return { sent, received }
}

function release() {
  return new Promise((resolve, reject) => {
    const expression = 'io:put_chars(erlang:system_info(otp_release)), halt().'
    const child = spawn(erl[0], [...erl.slice(1), '-noinput', '-eval', expression], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let text = ''
    child.stdout.on('data', (data) => (text += data))
    child.on('error', reject)
    child.on('close', () => resolve(text.trim()))
  })
}

const otp = await release()
const captures = {}
for (const [name, initiator, version] of [
  ['named', 'initiator@127.0.0.1', 6],
  ['dynamic', 'undefined@127.0.0.1', 6],
  ['version5', 'initiator@127.0.0.1', 5],
]) {
  // OTP 25.0 to 25.2 do not take the old name message themselves, but OTP 25 never sends it either.
  captures[name] = await capture(initiator, version)
  console.log(
    `OTP ${otp}, ${name}: ${captures[name].sent.length} messages, ${captures[name].received.length} back`,
  )
}
writeFileSync(
  `test/vectors/handshake-otp${otp}.json`,
  `${JSON.stringify({ otp, cookie: COOKIE, captures }, null, 2)}\n`,
)
