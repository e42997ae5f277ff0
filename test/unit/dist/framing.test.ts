import { FrameReader } from '../../../src/dist/framing.js'
import { fromHex, hex } from '../../support/channels.js'

function reader(maxFrameBytes = 100, withPieces = false) {
  const frames: string[] = []
  const pieces: number[] = []
  const handlers = {
    onFrame: (bytes: Uint8Array, start: number, end: number) =>
      void frames.push(hex(bytes.subarray(start, end))),
    onTick: () => void frames.push('tick'),
  }
  const frameReader = new FrameReader(
    withPieces
      ? {
          ...handlers,
          onPieces(parts, length) {
            pieces.push(parts.length)
            expect(parts.reduce((sum, part) => sum + part.length, 0)).toBe(length)
            return true
          },
        }
      : handlers,
    maxFrameBytes,
  )
  return { frameReader, frames, pieces }
}

const STREAM = fromHex('00000003 aabbcc 00000000 00000001 dd 00000000 00000000 00000005 0102030405')
const FRAMES = ['aabbcc', 'tick', 'dd', 'tick', 'tick', '0102030405']

it('cuts a stream into frames and ticks', () => {
  const { frameReader, frames } = reader()
  frameReader.receive(STREAM)
  expect(frames).toEqual(FRAMES)
  expect(frameReader.heldBytes).toBe(0)
})

it('does so wherever chunks end', () => {
  for (let first = 0; first <= STREAM.length; first++) {
    for (let second = first; second <= STREAM.length; second++) {
      const { frameReader, frames } = reader()
      frameReader.receive(STREAM.slice(0, first))
      frameReader.receive(STREAM.slice(first, second))
      frameReader.receive(STREAM.slice(second))
      expect(frames).toEqual(FRAMES)
    }
  }
})

it('does so byte by byte, and from an offset subarray', () => {
  const bytewise = reader()
  for (const byte of STREAM) bytewise.frameReader.receive(Uint8Array.of(byte))
  expect(bytewise.frames).toEqual(FRAMES)
  const offset = reader()
  const padded = new Uint8Array([9, 9, 9, ...STREAM, 9])
  offset.frameReader.receive(padded.subarray(3, 3 + STREAM.length))
  expect(offset.frames).toEqual(FRAMES)
})

it('accepts a frame of the limit, refuses one more byte, and allocates for neither', () => {
  const { frameReader } = reader(100)
  frameReader.receive(fromHex('00000064'))
  expect(frameReader.heldBytes).toBe(4)
  expect(() => reader(100).frameReader.receive(fromHex('00000065'))).toThrow(
    expect.objectContaining({ code: 'DIST_FRAME_TOO_LARGE' }),
  )
  expect(() => reader(2 ** 32 - 2).frameReader.receive(fromHex('ffffffff'))).toThrow(
    expect.objectContaining({ code: 'DIST_FRAME_TOO_LARGE' }),
  )
})

it('gives a frame in several chunks as its pieces where they are wanted', () => {
  const { frameReader, frames, pieces } = reader(100, true)
  frameReader.receive(fromHex('00000004 01'))
  frameReader.receive(fromHex('02'))
  frameReader.receive(fromHex('0304 00000001 05'))
  expect(pieces).toEqual([3])
  expect(frames).toEqual(['05'])
})

it('forgets a frame begun', () => {
  const { frameReader, frames } = reader()
  frameReader.receive(fromHex('00000004 0102'))
  frameReader.reset()
  frameReader.receive(fromHex('00000001 07'))
  expect(frames).toEqual(['07'])
})
