/**
 * The files of `beampeer inspect --record`: one for each connection, for their owner only. What goes wrong with one (a full
 * disk, a file that is there already) stops the recording and nothing else: the nodes whose connection passes through know
 * nothing of it.
 */
import { once } from 'node:events'
import { createWriteStream, rmSync, statSync, type WriteStream } from 'node:fs'
import { DistError } from '../errors.js'
import { recordingHead, recordingLine, type RecordedPiece } from '../index.js'
import { fail } from './report.js'

const FILE_MODE = 0o600

export class WireFiles {
  readonly #file: string
  readonly #streams = new Map<number, WriteStream>()
  #stopped = false
  #failure = false

  /**
   * Creates the file of the first connection, so that a place that cannot be written to is told before anyone connects.
   * @throws DistError `DIST_RECORDING_FAILED`
   */
  static async create(file: string): Promise<WireFiles> {
    const files = new WireFiles(file)
    const first = files.#open(1)
    try {
      await once(first, 'open')
    } catch (cause) {
      throw failed(file, cause)
    }
    first.on('error', (cause) => files.#failed(file, cause))
    return files
  }

  private constructor(file: string) {
    this.#file = file
  }

  write({ connection, ...piece }: RecordedPiece & { connection: number }): void {
    if (this.#stopped) return
    let stream = this.#streams.get(connection)
    if (stream === undefined) {
      stream = this.#open(connection)
      stream.on('error', (cause) => this.#failed(this.#name(connection), cause))
    }
    stream.write(`${recordingLine(piece)}\n`)
    if (piece.closed === true) stream.end()
  }

  /** The files end with what was written so far. */
  close(): void {
    this.#stopped = true
    for (const stream of this.#streams.values()) stream.end()
  }

  /** Nobody can connect after all: what `create` made goes again, else it would be in the way next time. */
  discard(): void {
    this.close()
    if (!isDevice(this.#file)) rmSync(this.#file, { force: true })
  }

  #open(connection: number): WriteStream {
    const file = this.#name(connection)
    const stream = createWriteStream(file, { flags: isDevice(file) ? 'w' : 'wx', mode: FILE_MODE })
    stream.write(`${recordingHead()}\n`)
    this.#streams.set(connection, stream)
    return stream
  }

  #name(connection: number): string {
    return connection === 1 ? this.#file : `${this.#file}.${connection}`
  }

  #failed(file: string, cause: unknown): void {
    // Once: the files of other connections are mostly on the same disk.
    if (!this.#failure) fail(failed(file, cause, '; the recording has stopped'))
    this.#failure = true
    this.close()
  }
}

/** A device or a pipe is no file that would be lost. */
function isDevice(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.isFile() === false
}

function failed(file: string, cause: unknown, then = ''): DistError {
  const why =
    (cause as NodeJS.ErrnoException).code === 'EEXIST'
      ? 'there is such a file already'
      : (cause as Error).message
  return new DistError('DIST_RECORDING_FAILED', `cannot record to ${file}: ${why}${then}`, { cause })
}
