/** What commands write, where the system takes it at once, later, in part, or not at all. */
import type * as fs from 'node:fs'
import type * as output from '../../../src/cli/output.js'

const writeSync = jest.fn<number, [file: number, bytes: Uint8Array, at: number]>()
jest.mock('node:fs', () => ({ ...jest.requireActual<typeof fs>('node:fs'), writeSync: writeSync }))

/** The module anew; what reaches the files, and what Node.js' streams. */
async function fresh(take: (bytes: number) => number) {
  const files: Record<number, string> = { 1: '', 2: '' }
  writeSync.mockImplementation((file, bytes, at) => {
    const taken = take(bytes.length - at)
    files[file] += Buffer.from(bytes.subarray(at, at + taken)).toString()
    return taken
  })
  const streams = { stdout: '', stderr: '' }
  const spies = (['stdout', 'stderr'] as const).map((name) =>
    jest.spyOn(process[name], 'write').mockImplementation((chunk) => {
      streams[name] += Buffer.from(chunk as Uint8Array).toString()
      return true
    }),
  )
  const listeners = () => process.stdout.listenerCount('error')
  jest.resetModules()
  const before = { exitCode: process.exitCode, listeners: listeners() }
  const module = (await import('../../../src/cli/output.js')) as typeof output
  const end = () => {
    for (const spy of spies) spy.mockRestore()
    for (const name of ['stdout', 'stderr'] as const) process[name].removeAllListeners('error')
    process.exitCode = before.exitCode
  }
  return { ...module, files, streams, added: () => listeners() - before.listeners, [Symbol.dispose]: end }
}

const refuse = (code: string) => () => {
  throw Object.assign(new Error(`${code}: said the system`), { code })
}

test('text goes to its file, in as many pieces as the system takes; no stream is touched', async () => {
  using on = await fresh((bytes) => Math.min(2, bytes))
  on.writeLine('één')
  on.writeError('oh\n')
  expect(on.files).toEqual({ 1: 'één\n', 2: 'oh\n' })
  expect([on.streams, on.added()]).toEqual([{ stdout: '', stderr: '' }, 0])
})

test('what a full pipe does not take goes to the stream, and so does all after it', async () => {
  let room = 4
  using on = await fresh((bytes) => {
    if (room === 0) refuse('EAGAIN')()
    const taken = Math.min(room, bytes)
    room -= taken
    return taken
  })
  on.write('abcdef')
  room = 100
  on.write('ghi')
  expect([on.files[1], on.streams.stdout]).toEqual(['abcd', 'efghi'])
  expect(on.added()).toBe(1)
})

test('a reader that has gone is no error; a full disk is one', async () => {
  using gone = await fresh(refuse('EPIPE'))
  gone.writeLine('text')
  expect([process.exitCode, gone.streams]).toEqual([undefined, { stdout: '', stderr: '' }])
  let calls = 0
  using full = await fresh((bytes) => (calls++ === 0 ? refuse('ENOSPC')() : bytes))
  full.writeLine('text')
  expect([process.exitCode, full.files[2]]).toEqual([
    1,
    'beampeer: standard output: ENOSPC: said the system\n',
  ])
})

test('commands that run on use the streams, whose errors are taken care of', async () => {
  using on = await fresh((bytes) => bytes)
  on.watchStreams()
  on.watchStreams()
  expect(on.added()).toBe(1)
  on.writeLine('text')
  expect([on.files[1], on.streams.stdout]).toEqual(['', 'text\n'])
  process.stdout.emit('error', Object.assign(new Error('gone'), { code: 'EPIPE' }))
  expect(process.exitCode).toBe(undefined)
  process.stdout.emit('error', Object.assign(new Error('full'), { code: 'ENOSPC' }))
  expect([process.exitCode, on.streams.stderr]).toEqual([1, 'beampeer: standard output: full\n'])
})
