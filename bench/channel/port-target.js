/** A port program that speaks packet-4 terms on its standard input and output: node port-target.js LIB. */
import path from 'node:path'
import { pathToFileURL } from 'node:url'

const { decode, encode, tuple } = await import(pathToFileURL(path.join(process.argv[2], 'etf/node.js')).href)
let held = Buffer.alloc(0)
let output = []

process.stdin.on('data', (chunk) => {
  const input = held.length === 0 ? chunk : Buffer.concat([held, chunk])
  let position = 0
  while (input.length - position >= 4) {
    const end = position + 4 + input.readUInt32BE(position)
    if (end > input.length) break
    answer(decode(input.subarray(position + 4, end)))
    position = end
  }
  held = input.subarray(position)
  if (output.length > 0) process.stdout.write(Buffer.concat(output))
  output = []
})
process.stdin.on('end', () => process.exit())

function answer({ elements: [id, call] }) {
  const [a, b] = call.elements[1]
  const bytes = encode(tuple(id, a + b))
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  output.push(length, bytes)
}
