/**
 * Standard output and standard error. Whoever reads them may stop reading (`| head`), or end before a node does: that is no
 * error of ours. A full disk is one: what was asked for is not there.
 *
 * Text goes straight to the file as long as the system takes it at once: to make Node.js' streams takes longer than all that
 * a short command writes. Commands that run on use the streams, as the modules of users do.
 */
import { writeSync } from 'node:fs'

const FILES = { stdout: 1, stderr: 2 } as const
type Name = keyof typeof FILES

const unread = (() => {
  let settle: () => void = () => undefined
  return { promise: new Promise<void>((resolve) => (settle = resolve)), settle: () => settle() }
})()

// On Windows only the streams know how text is put on a console.
const streams = new Set<Name>()
if (process.platform === 'win32') watchStreams()

/** Text for standard output. */
export function write(text: string): void {
  put('stdout', Buffer.from(text))
}

/** A line on standard output. */
export function writeLine(line: string): void {
  write(`${line}\n`)
}

/** Text for standard error. */
export function writeError(text: string): void {
  put('stderr', Buffer.from(text))
}

/** Settles when it has shown, as something was written, that nobody reads standard output any more. */
export function untilUnread(): Promise<void> {
  return unread.promise
}

/** From now on Node.js' streams are used, by us and by whom else they are for; their errors are taken care of. */
export function watchStreams(): void {
  for (const name of ['stdout', 'stderr'] as const) stream(name)
}

function put(name: Name, bytes: Uint8Array): void {
  let at = 0
  if (!streams.has(name)) {
    try {
      while (at < bytes.length) at += writeSync(FILES[name], bytes, at)
      return
    } catch (error) {
      // A pipe that does not block its writers, and is full: the stream waits for its reader.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN')
        return failed(name, error as NodeJS.ErrnoException)
    }
  }
  stream(name).write(bytes.subarray(at))
}

function stream(name: Name): NodeJS.WriteStream {
  const stream = process[name]
  if (!streams.has(name)) stream.on('error', (error) => failed(name, error))
  streams.add(name)
  return stream
}

function failed(name: Name, error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') {
    if (name === 'stdout') unread.settle()
    return
  }
  process.exitCode = 1
  if (name === 'stdout') writeError(`beampeer: standard output: ${error.message}\n`)
}
