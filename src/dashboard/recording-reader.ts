/** Reads a recording's frames one after the other, from any of them on. */
import { open, type FileHandle } from 'node:fs/promises'
import { BeampeerError } from '../errors.js'
import type { Limits } from '../limits.js'
import { decodeFrame, isHead, LENGTH_BYTES, type HeadFrame, type RecordedFrame } from './record-format.js'

const CHUNK_BYTES = 256 * 1024

/** A frame and where it is in the file. */
export interface PlacedFrame {
  readonly frame: RecordedFrame
  readonly offset: number
}

export class RecordingFile {
  readonly head: HeadFrame
  /** When it was opened. */
  readonly sizeBytes: number
  readonly #handle: FileHandle
  readonly #maxFrameBytes: number

  /** @throws BeampeerError `DASHBOARD_BAD_RECORDING` */
  static async open(file: string, limits: Pick<Limits, 'maxRecordingFrameBytes'>): Promise<RecordingFile> {
    const bad = (why: string, cause?: unknown) =>
      new BeampeerError('DASHBOARD_BAD_RECORDING', `${file} cannot be replayed: ${why}`, { cause })
    let handle: FileHandle
    try {
      handle = await open(file, 'r')
    } catch (cause) {
      throw bad((cause as Error).message, cause)
    }
    try {
      const first = await new FrameReader(handle, 0, limits.maxRecordingFrameBytes).next()
      if (!isHead(first?.frame)) throw bad('it is no recording of a dashboard, or of another version')
      return new RecordingFile(handle, first.frame, (await handle.stat()).size, limits.maxRecordingFrameBytes)
    } catch (error) {
      await handle.close()
      throw error instanceof BeampeerError ? error : bad((error as Error).message, error)
    }
  }

  private constructor(handle: FileHandle, head: HeadFrame, sizeBytes: number, maxFrameBytes: number) {
    this.#handle = handle
    this.head = head
    this.sizeBytes = sizeBytes
    this.#maxFrameBytes = maxFrameBytes
  }

  /** Frames from an offset on. */
  from(offset: number): FrameReader {
    return new FrameReader(this.#handle, offset, this.#maxFrameBytes)
  }

  close(): Promise<void> {
    return this.#handle.close()
  }
}

/** What is torn or damaged ends the reading, as the end of the file does. */
export class FrameReader {
  readonly #handle: FileHandle
  readonly #maxFrameBytes: number
  #offset: number
  /** Bytes of the file from {@link #offset} on. */
  #buffer: Buffer = Buffer.alloc(0)
  #atEnd = false

  constructor(handle: FileHandle, offset: number, maxFrameBytes: number) {
    this.#handle = handle
    this.#offset = offset
    this.#maxFrameBytes = maxFrameBytes
  }

  async next(): Promise<PlacedFrame | undefined> {
    if (!(await this.#fill(LENGTH_BYTES))) return undefined
    const length = this.#buffer.readUInt32BE(0)
    if (length > this.#maxFrameBytes || !(await this.#fill(LENGTH_BYTES + length))) return undefined
    const offset = this.#offset
    const frame = decodeFrame(this.#buffer.subarray(LENGTH_BYTES, LENGTH_BYTES + length))
    this.#buffer = this.#buffer.subarray(LENGTH_BYTES + length)
    this.#offset += LENGTH_BYTES + length
    return frame && { frame, offset }
  }

  /** Whether there are so many bytes. */
  async #fill(bytes: number): Promise<boolean> {
    while (this.#buffer.length < bytes && !this.#atEnd) {
      const chunk = Buffer.allocUnsafe(Math.max(CHUNK_BYTES, bytes - this.#buffer.length))
      const { bytesRead } = await this.#handle.read(
        chunk,
        0,
        chunk.length,
        this.#offset + this.#buffer.length,
      )
      if (bytesRead === 0) this.#atEnd = true
      this.#buffer = Buffer.concat([this.#buffer, chunk.subarray(0, bytesRead)])
    }
    return this.#buffer.length >= bytes
  }
}
