// Captures what a real Erlang node writes on a distribution connection after the handshake, for each combination of
// DIST_HDR_ATOM_CACHE and FRAGMENTS, into test/vectors/dist-otp<release>.json.
//
//   node scripts/capture-dist-vectors.js                          with the `erl` on the path
//   node scripts/capture-dist-vectors.js chroot /srv/otp-29 erl   with another one
//
// The node connects to a socket of this script, which plays the acceptor `js@127.0.0.1`; no EPMD takes part
// (-erl_epmd_port, -dist_listen false: OTP 25 and later).
import { Buffer } from 'node:buffer'
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'

const erl = process.argv.length > 2 ? process.argv.slice(2) : ['erl']
const COOKIE = 'vectors'
const NAME = 'js@127.0.0.1'
const DIST_HDR_ATOM_CACHE = 1n << 13n
const FRAGMENTS = 1n << 23n
/** What OTP 29 can do, but PUBLISHED and the two flags that vary. */
const BASE_FLAGS = 0x6d07df7fbdn & ~(1n | DIST_HDR_ATOM_CACHE | FRAGMENTS)

/** What the node does, in order. */
const PROGRAM = `
  P = binary_to_term(<<131,88,119,12,"${NAME}",0,0,0,38,0,0,0,1,0,0,0,7>>),
  R = binary_to_term(<<131,90,0,3,119,12,"${NAME}",0,0,0,7,0,0,0,1,0,0,0,2,0,0,0,3>>),
  true = net_kernel:connect_node('${NAME}'),
  monitor_node('${NAME}', true),
  {echo, '${NAME}'} ! {hello, world},
  P ! {hello, world},
  P ! [],
  R ! {via, alias},
  link(P), unlink(P),
  M = erlang:monitor(process, P), erlang:demonitor(M),
  N = erlang:monitor(process, {rex, '${NAME}'}), erlang:demonitor(N),
  exit(P, {shutdown, why}),
  group_leader(self(), P),
  erlang:spawn_request('${NAME}', math, pi, [], [monitor, link]),
  seq_trace:set_token(label, 17), P ! traced, {echo, '${NAME}'} ! traced, exit(P, traced), seq_trace:set_token([]),
  Long = list_to_atom(lists:duplicate(255, 16#20AC)),
  P ! {Long, Long},
  P ! list_to_tuple([list_to_atom("a" ++ integer_to_list(I)) || I <- lists:seq(1, 300)]),
  P ! {big, binary:copy(<<7>>, 200000)},
  P ! after_big,
  {Pid, Mon} = spawn_monitor(fun() -> link(P), P ! linked, exit(binary:copy(<<8>>, 70000)) end),
  receive {'DOWN', Mon, process, Pid, _} -> ok end,
  case list_to_integer(erlang:system_info(otp_release)) >= 28 of
    true -> erlang:send(R, urgent, [priority]), exit(P, urgent, [priority]);
    false -> ok
  end,
  P ! capture_done,
  receive {nodedown, '${NAME}'} -> halt() end`

const md5 = (challenge) =>
  createHash('md5')
    .update(COOKIE + String(challenge))
    .digest()

function packet2(...parts) {
  const body = Buffer.concat(parts)
  const head = Buffer.alloc(2)
  head.writeUInt16BE(body.length)
  return Buffer.concat([head, body])
}

function challengeMessage(flags, challenge) {
  const body = Buffer.alloc(19)
  body.write('N')
  body.writeBigUInt64BE(flags, 1)
  body.writeUInt32BE(challenge, 9)
  body.writeUInt32BE(7, 13)
  body.writeUInt16BE(NAME.length, 17)
  return packet2(body, Buffer.from(NAME))
}

/** One connection: the handshake, then every byte until the program is done. */
function capture(flags) {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => {
      let input = Buffer.alloc(0)
      let step = 0
      socket.on('data', (chunk) => {
        input = Buffer.concat([input, chunk])
        while (step < 2 && input.length >= 2 && input.length >= 2 + input.readUInt16BE(0)) {
          const message = input.subarray(2, 2 + input.readUInt16BE(0))
          input = input.subarray(2 + message.length)
          if (step++ === 0) {
            socket.write(packet2(Buffer.from('sok')))
            socket.write(challengeMessage(flags, 12345))
          } else {
            if (!message.subarray(5).equals(md5(12345))) reject(new Error('the cookie is wrong'))
            socket.write(packet2(Buffer.from('a'), md5(message.readUInt32BE(1))))
          }
        }
        if (step === 2 && input.includes('capture_done')) socket.destroy()
      })
      socket.on('error', reject)
      socket.on('close', () => resolve(input))
    })
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      const options = [
        '-noinput',
        '-dist_listen',
        'false',
        '-start_epmd',
        'false',
        '-erl_epmd_port',
        String(port),
      ]
      const args = [
        ...erl.slice(1),
        ...options,
        '-name',
        'beam@127.0.0.1',
        '-setcookie',
        COOKIE,
        '-eval',
        `begin ${PROGRAM} end.`,
      ]
      const child = spawn(erl[0], args, { stdio: ['ignore', 'inherit', 'inherit'] })
      child.on('exit', (code) => {
        server.close()
        if (code !== 0) reject(new Error(`erl ended with ${code}`))
      })
    })
  })
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

/** Hexadecimal, with `(07*200000)` for a run of equal bytes. */
function hexOf(bytes) {
  let text = ''
  for (let i = 0; i < bytes.length;) {
    let end = i + 1
    while (end < bytes.length && bytes[end] === bytes[i]) end++
    const byte = bytes[i].toString(16).padStart(2, '0')
    text += end - i > 64 ? `(${byte}*${end - i})` : byte.repeat(end - i)
    i = end
  }
  return text
}

function framesOf(bytes) {
  const frames = []
  for (let i = 0; i + 4 <= bytes.length; i += 4 + bytes.readUInt32BE(i)) {
    frames.push(hexOf(bytes.subarray(i + 4, i + 4 + bytes.readUInt32BE(i))))
  }
  return frames
}

const otp = await release()
const captures = {}
for (const atomCache of [false, true]) {
  for (const fragments of [false, true]) {
    const flags = BASE_FLAGS | (atomCache ? DIST_HDR_ATOM_CACHE : 0n) | (fragments ? FRAGMENTS : 0n)
    const name =
      [atomCache ? 'atomCache' : '', fragments ? 'fragments' : ''].filter(Boolean).join('+') || 'passThrough'
    captures[name] = framesOf(await capture(flags))
    console.log(`OTP ${otp}, ${name}: ${captures[name].length} frames`)
  }
}
writeFileSync(`test/vectors/dist-otp${otp}.json`, `${JSON.stringify({ otp, captures }, null, 2)}\n`)
