import { readFileSync } from 'node:fs'
import { print } from '../../../src/etf/print.js'
import type { SignalIn } from '../../../src/dist/signals.js'
import type { ChannelFeatures } from '../../../src/dist/channel.js'
import type { Term } from '../../../src/etf/terms.js'
import { Atom } from '../../../src/etf/atom.js'
import { Tuple } from '../../../src/etf/tuple.js'
import { Pid, Reference } from '../../../src/etf/identifiers.js'
import { THERE, fromHex, join, testChannel } from '../../support/channels.js'

// What real nodes wrote, captured with `node scripts/capture-dist-vectors.js` (OTP 25, 27, 29): the program is there.
interface Vectors {
  otp: string
  captures: Record<string, string[]>
}

const FEATURES: Record<string, Partial<ChannelFeatures>> = {
  passThrough: { header: false, atomCache: false, fragments: false },
  atomCache: { header: true, atomCache: true, fragments: false },
  fragments: { header: true, atomCache: false, fragments: true },
  'atomCache+fragments': { header: true, atomCache: true, fragments: true },
}

/** A frame of the capture: hexadecimal, `(07*200)` for a run. */
const frame = (text: string): Uint8Array =>
  fromHex(text.replace(/\((..)\*(\d+)\)/g, (_run, byte: string, times: string) => byte.repeat(Number(times))))

function stream(frames: readonly string[]): Uint8Array {
  return join(
    frames.map(frame).flatMap((bytes) => {
      const head = new Uint8Array(4)
      new DataView(head.buffer).setUint32(0, bytes.length)
      return [head, bytes]
    }),
  )
}

/** A signal in one line; pids and references of the BEAM by their kind, as they differ between runs. */
function line(signal: SignalIn): string {
  const fields = Object.entries(signal)
    .filter(([key]) => key !== 'type')
    .map(([key, value]) => `${key}=${text(value as Term)}`)
  return `${signal.type} ${fields.join(' ')}`
}

function text(value: Term): string {
  if (value instanceof Pid) return value.node === THERE ? 'Pid' : 'P'
  if (value instanceof Reference) return value.node === THERE ? 'Ref' : 'R'
  if (value instanceof Atom && value.name.length > 100) return `<${Buffer.byteLength(value.name)} bytes>`
  if (value instanceof Uint8Array && value.length > 100) {
    return value.every((byte) => byte === value[0]) ? `<<${value[0]}:${value.length}>>` : '<<mixed>>'
  }
  if (value instanceof Tuple) {
    const elements = value.elements.map(text)
    if (elements.length > 10) elements.splice(3, elements.length - 6, '…')
    return `{${elements.join(',').replace('…,', '… ')}}`
  }
  return print(value)
}

const EXPECTED = [
  'regSend from=Pid to=echo message={hello,world}',
  'send from=Pid to=P message={hello,world}',
  'send from=Pid to=P message=[]',
  'aliasSend from=Pid to=R message={via,alias}',
  'link from=Pid to=P',
  'unlinkId id=N from=Pid to=P',
  'monitor from=Pid to=P ref=Ref',
  'demonitor from=Pid to=P ref=Ref',
  'monitor from=Pid to=rex ref=Ref',
  'demonitor from=Pid to=rex ref=Ref',
  'exit2 from=Pid to=P reason={shutdown,why}',
  'groupLeader from=Pid to=P',
  'spawnRequest ref=Ref from=Pid groupLeader=Pid module=math function=pi arity=0 options=[monitor,link] args=[]',
  'send from=Pid to=P message=traced traceToken={0,17,1,Pid,0}',
  'regSend from=Pid to=echo message=traced traceToken={0,17,2,Pid,0}',
  'exit2 from=Pid to=P reason=traced',
  'send from=Pid to=P message={<765 bytes>,<765 bytes>}',
  'send from=Pid to=P message={a1,a2,a3,… a298,a299,a300}',
  'send from=Pid to=P message={big,<<7:200000>>}',
  'send from=Pid to=P message=after_big',
  'link from=Pid to=P',
  'send from=Pid to=P message=linked',
  'exit from=Pid to=P reason=<<8:70000>>',
]
/** From OTP 28 there are priority messages and exits. */
const PRIORITY = [
  'altactSend from=Pid to=R message=urgent priority=true exit=false',
  'altactSend from=Pid to=P message=urgent priority=true exit=true',
]
const LAST = 'send from=Pid to=P message=capture_done'

describe.each(['25', '27', '29'])('frames of OTP %s', (otp) => {
  const vectors = JSON.parse(
    readFileSync(`${__dirname}/../../vectors/dist-otp${otp}.json`, 'utf8'),
  ) as Vectors

  describe.each(Object.keys(FEATURES))('with %s', (name) => {
    const bytes = stream(vectors.captures[name])
    const features = FEATURES[name]

    const expected = [...EXPECTED, ...(Number(otp) >= 28 ? PRIORITY : []), LAST]
    // An unlink id counts up within a run of a node.
    const lines = (received: readonly SignalIn[]): string[] =>
      received.map(line).map((one) => one.replace(/id=\d+/, 'id=N'))

    it('are the signals of the program', () => {
      const { channel, received } = testChannel({ features, peer: THERE })
      channel.receive(bytes, 1)
      expect(lines(received)).toEqual(expected)
      expect(channel.stats().receivedFrames).toBe(vectors.captures[name].length)
      expect(channel.stats().incompleteMessages).toBe(0)
    })

    it('are so in chunks of any size', () => {
      for (const size of [61, 1000, 65_536]) {
        const { channel, received } = testChannel({ features, peer: THERE })
        for (let i = 0; i < bytes.length; i += size) channel.receive(bytes.slice(i, i + size), 1)
        expect(lines(received)).toEqual(expected)
      }
    })

    it('are so byte by byte, up to the first large one', () => {
      const frames = vectors.captures[name]
      const small = stream(
        frames.slice(
          0,
          frames.findIndex((one) => one.includes('*')),
        ),
      )
      const { channel, received } = testChannel({ features, peer: THERE })
      for (const byte of small) channel.receive(Uint8Array.of(byte), 1)
      expect(lines(received)).toEqual(expected.slice(0, received.length))
      expect(received.length).toBeGreaterThan(15)
    })

    it('end the connection where another form was negotiated', () => {
      const wrong = testChannel({
        features: { ...features, header: !features.header, atomCache: false, fragments: false },
      })
      expect(() => wrong.channel.receive(bytes, 1)).toThrow(
        expect.objectContaining({ code: 'DIST_BAD_FRAME' }),
      )
    })
  })
})

it('shows every form of header', () => {
  const forms = (otp: string): Set<string> => {
    const vectors = JSON.parse(
      readFileSync(`${__dirname}/../../vectors/dist-otp${otp}.json`, 'utf8'),
    ) as Vectors
    return new Set(
      Object.values(vectors.captures).flatMap((frames) =>
        frames.map((one) => one.slice(0, one.startsWith('70') ? 2 : 4)),
      ),
    )
  }
  for (const otp of ['25', '27', '29']) expect([...forms(otp)].sort()).toEqual(['70', '8344', '8345', '8346'])
})
