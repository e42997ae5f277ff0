import { FrameReader } from '../../../src/dist/framing.js'
import { type Gathering, GatheringMemory, SPARE_BYTES } from '../../../src/dist/gathering.js'
import { fromHex, hex } from '../../support/channels.js'

function reader(maxFrameBytes = 100, later?: Gathering, ahead = false) {
  const frames: string[] = []
  const gathered: boolean[] = []
  const gatherings: Gathering[] = []
  const memory = new GatheringMemory(10_000_000, (bytes) => new Uint8Array(bytes))
  const frameReader = new FrameReader(
    {
      ...(ahead && { allocate: (bytes) => new Uint8Array(bytes) }),
      onFrame(bytes, start, end, gathering) {
        frames.push(hex(bytes.subarray(start, end)))
        gathered.push(gathering !== undefined)
        if (gathering !== undefined) gatherings.push(gathering)
      },
      gather: (_bytes, _start, length, ...memoryThere) => memory.open(length, ...memoryThere),
      continue: (bytes, start) => (bytes[start + 1] === 70 ? later : undefined),
      onFragment: () => void frames.push('fragment'),
      onTick: () => void frames.push('tick'),
    },
    maxFrameBytes,
  )
  return { frameReader, frames, gathered, gatherings }
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

const LONG = 40_000

/** A frame of some length, with its length before it. */
function frame(length: number, ...head: number[]): Uint8Array {
  const bytes = new Uint8Array(4 + length).map((_, at) => at % 251)
  new DataView(bytes.buffer).setUint32(0, length)
  bytes.set(head, 4)
  return bytes
}

it('puts together what comes in several chunks in memory of its own, and lends what does not', () => {
  const { frameReader, gathered } = reader(LONG)
  const bytes = frame(100)
  frameReader.receive(bytes.subarray(0, 50))
  frameReader.receive(bytes.subarray(50))
  frameReader.receive(bytes)
  expect(gathered).toEqual([true, false])
})

it('has no use for chunks after they were read: their memory may be used again', () => {
  for (const step of [1, 7, 30, 1000]) {
    const { frameReader, frames } = reader(LONG)
    const bytes = new Uint8Array([...frame(17), ...frame(18), ...frame(19), ...frame(3_000)])
    const lent = new Uint8Array(step)
    for (let at = 0; at < bytes.length; at += step) {
      const part = bytes.subarray(at, at + step)
      lent.set(part)
      frameReader.receive(lent.subarray(0, part.length))
      lent.fill(0xee)
    }
    expect(frames).toEqual([17, 18, 19, 3_000].map((length) => hex(frame(length).subarray(4))))
  }
})

it('wants a long frame read to where it is put together, with some of what follows', () => {
  const { frameReader, frames } = reader(LONG)
  const stream = new Uint8Array([...frame(LONG), ...frame(5), ...frame(6)])
  expect(frameReader.room()).toBeUndefined()
  frameReader.receive(stream.subarray(0, 30))
  const room = frameReader.room() as Uint8Array
  expect(room.length).toBe(LONG + 4 - 30 + SPARE_BYTES)
  const rest = stream.subarray(30)
  room.set(rest)
  frameReader.receive(room.subarray(0, rest.length))
  expect(frames).toEqual([LONG, 5, 6].map((length) => hex(frame(length).subarray(4))))
  expect(frameReader.room()).toBeUndefined()
})

it("wants the last bytes of a long frame read in place, too: a read of more would leave the next frame's", () => {
  const { frameReader, frames } = reader(LONG)
  const stream = new Uint8Array([...frame(LONG), ...frame(LONG)])
  frameReader.receive(stream.subarray(0, LONG + 4 - 100))
  const room = frameReader.room() as Uint8Array
  expect(room.length).toBe(100 + SPARE_BYTES)
  room.set(stream.subarray(LONG + 4 - 100, LONG + 4 + SPARE_BYTES))
  frameReader.receive(room)
  expect(frames).toHaveLength(1)
  // Of the next one, no more than the spare bytes had to be moved.
  expect(frameReader.room()).toHaveLength(LONG + 4)
})

it('wants nothing of the kind for a short one', () => {
  const { frameReader } = reader(LONG)
  frameReader.receive(frame(8 * 1024 - 1).subarray(0, 100))
  expect(frameReader.room()).toBeUndefined()
  const other = reader(LONG).frameReader
  other.receive(frame(8 * 1024).subarray(0, 100))
  expect(other.room()).toBeDefined()
})

it('adds later fragments to their message, wherever chunks end, read in place or not', () => {
  const body = (n: number) => frame(20_018, 131, 70, n)
  const stream = new Uint8Array([...body(3), ...frame(9), ...body(2), 0, 0, 0, 0, ...body(1), ...frame(10)])
  const expected = [3, 2, 1].map((n) => hex(body(n).subarray(22))).join('')
  for (const [most, inPlace] of [
    [3, false],
    [1_000, true],
    [5_000, false],
    [15_000, true],
  ] as const) {
    const message = new GatheringMemory(1_000_000, (bytes) => new Uint8Array(bytes)).open(60_000)
    const { frameReader, frames } = reader(LONG, message)
    let inRoom = 0
    for (let at = 0; at < stream.length;) {
      const room = inPlace ? frameReader.room() : undefined
      const part = stream.subarray(at, at + Math.min(most, room?.length ?? Infinity))
      at += part.length
      if (room === undefined) frameReader.receive(part)
      else {
        room.set(part)
        inRoom++
        frameReader.receive(room.subarray(0, part.length))
      }
    }
    expect(hex(message.bytes.subarray(0, message.length))).toBe(expected)
    expect(frames).toEqual([
      'fragment',
      hex(frame(9).subarray(4)),
      'fragment',
      'tick',
      'fragment',
      hex(frame(10).subarray(4)),
    ])
    expect(inRoom > 0).toBe(inPlace)
  }
})

describe('after a long frame', () => {
  const MIN = 32 * 1024
  const MAX = 128 * 1024

  /** Gives `bytes` to read in parts of `most`, into the room where there is any. @returns where each part went */
  const read = (frameReader: FrameReader, bytes: Uint8Array, most = Infinity): (Uint8Array | undefined)[] => {
    const rooms = []
    for (let at = 0; at < bytes.length;) {
      const room = frameReader.room()
      const part = bytes.slice(at, at + Math.min(most, room?.length ?? 65_536))
      at += part.length
      rooms.push(room)
      room?.set(part)
      frameReader.receive(room?.subarray(0, part.length) ?? part)
      // What is lent is used again.
      if (room === undefined) part.fill(0xee)
    }
    return rooms
  }

  it('wants the next bytes read into memory that becomes the next one, wherever its end is', () => {
    for (const [most, more] of [
      [Infinity, []],
      [Infinity, [5]],
      [1_000, []],
      [LONG + 4, [5, 6]],
    ] as const) {
      const { frameReader, frames, gatherings } = reader(MAX, undefined, true)
      expect(frameReader.room()).toBeUndefined()
      read(frameReader, frame(LONG))
      const stream = new Uint8Array([...frame(LONG), ...more.flatMap((length) => [...frame(length)])])
      const [room] = read(frameReader, stream, most)
      expect(room).toHaveLength(4 + LONG + 3 * SPARE_BYTES)
      expect(gatherings).toHaveLength(1)
      expect(gatherings[0].bytes.buffer).toBe(room?.buffer)
      expect(gatherings[0].length).toBe(LONG)
      expect(frames).toEqual([LONG, LONG, ...more].map((length) => hex(frame(length).subarray(4))))
      expect(frameReader.heldBytes).toBe(0)
    }
  })

  it('does so behind short ones, and as long as long ones come', () => {
    const { frameReader, frames, gatherings } = reader(MAX, undefined, true)
    read(frameReader, frame(LONG))
    const [room] = read(frameReader, new Uint8Array([...frame(5), ...frame(LONG)]))
    expect(gatherings[0].bytes.buffer).toBe(room?.buffer)
    const next = frameReader.room()
    expect(next?.buffer).not.toBe(room?.buffer)
    read(frameReader, frame(5))
    expect(frameReader.room()).toBeUndefined()
    expect(frames).toEqual([LONG, 5, LONG, 5].map((length) => hex(frame(length).subarray(4))))
  })

  it('until a tick comes alone, which leaves no memory held', () => {
    const { frameReader } = reader(MAX, undefined, true)
    read(frameReader, frame(LONG))
    expect(frameReader.room()).toBeDefined()
    read(frameReader, fromHex('00000000'))
    expect(frameReader.room()).toBeUndefined()
  })

  it('until it is told to hold none, in the middle of a frame too, which it finishes', () => {
    const { frameReader, frames } = reader(MAX, undefined, true)
    read(frameReader, frame(LONG))
    const room = frameReader.room()
    frameReader.trim()
    expect(frameReader.room()).toBeUndefined()
    // Some systems are asked to read into it before that is known.
    room?.set(frame(LONG).subarray(0, 100))
    frameReader.receive(room!.subarray(0, 100))
    room?.fill(0xee)
    frameReader.trim()
    read(frameReader, frame(LONG).subarray(100))
    expect(frames).toEqual([LONG, LONG].map((length) => hex(frame(length).subarray(4))))
  })

  it.each([
    [MIN - 1, false],
    [MIN, true],
    [MAX, true],
    [MAX + 1, false],
  ])('of %d bytes: %s', (length, is) => {
    const { frameReader } = reader(2 * MAX, undefined, true)
    read(frameReader, frame(length), 50_000)
    expect(frameReader.room() !== undefined).toBe(is)
    frameReader.close()
    expect(frameReader.room()).toBeUndefined()
  })

  it('a much shorter one does not keep so much memory', () => {
    // What is got ready is 4 + 3 * 1024 bytes more than the frame.
    const most = 100_000
    const half = (most - 4 - 3 * SPARE_BYTES) / 2
    for (const [length, kept] of [
      [half, true],
      [half - 1, false],
    ] as const) {
      const { frameReader, frames, gathered } = reader(MAX, undefined, true)
      read(frameReader, frame(most), 60_000)
      read(frameReader, frame(length))
      expect(gathered).toEqual([true, kept])
      // The next one of that length does.
      const [room] = read(frameReader, frame(length))
      expect(room).toHaveLength(4 + length + 3 * SPARE_BYTES)
      expect(gathered).toEqual([true, kept, true])
      expect(frames).toEqual([most, length, length].map((one) => hex(frame(one).subarray(4))))
    }
  })

  it('is the last, where a frame after it ends the reading', () => {
    const received: number[] = []
    const gathered: number[] = []
    const memory = new GatheringMemory(1_000_000, (bytes) => new Uint8Array(bytes))
    const frameReader: FrameReader = new FrameReader(
      {
        onFrame(_bytes, start, end) {
          received.push(end - start)
          if (end - start === 5) frameReader.close()
        },
        gather(_bytes, _start, length, there) {
          gathered.push(length)
          return memory.open(length, there)
        },
        onTick: () => undefined,
        allocate: (bytes) => new Uint8Array(bytes),
      },
      MAX,
    )
    read(frameReader, frame(LONG))
    read(frameReader, new Uint8Array([...frame(5), ...frame(LONG - 1_000)]))
    expect(received).toEqual([LONG, 5])
    expect(gathered).toEqual([])
    expect(frameReader.room()).toBeUndefined()
  })

  it('a longer one gets other memory, and what came of it is moved there', () => {
    const { frameReader, frames, gatherings } = reader(MAX, undefined, true)
    read(frameReader, frame(MIN))
    const [room] = read(frameReader, frame(100_000))
    expect(gatherings[0].bytes.buffer).not.toBe(room?.buffer)
    expect(frames).toEqual([MIN, 100_000].map((length) => hex(frame(length).subarray(4))))
    // Ready for one of that length now.
    read(frameReader, frame(100_000), 60_000)
    expect(frames).toHaveLength(3)
    expect(frames[2]).toBe(frames[1])
  })
})

it('reads nothing more when it is closed', () => {
  const { frameReader, frames } = reader()
  frameReader.receive(fromHex('00000004 0102'))
  frameReader.close()
  expect(frameReader.heldBytes).toBe(0)
  frameReader.receive(fromHex('0304 00000001 07'))
  expect(frames).toEqual([])
})
