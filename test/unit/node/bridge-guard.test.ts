import { internAtom, type Atom } from '../../../src/etf/atom.js'
import { ADVERTISED, DistFlag } from '../../../src/handshake/flags.js'
import { guardBridging, incompatibility } from '../../../src/node/bridge-guard.js'
import type { ClusterListener, ConnectedNode } from '../../../src/process/cluster.js'

test.each([
  [23, 25, undefined],
  [23, 26, 'refuse'],
  [23, 29, 'refuse'],
  [24, 26, undefined],
  [24, 28, undefined],
  [25, 28, undefined],
  [24, 29, 'pg scope'],
  [25, 29, 'pg scope'],
  [26, 29, undefined],
  [27, 29, undefined],
  [29, 29, undefined],
  [25, Infinity, undefined],
  [Infinity, Infinity, undefined],
])('OTP %s and %s: %s', (one, other, expected) => {
  for (const reason of [incompatibility(one, other), incompatibility(other, one)]) {
    if (expected === undefined) expect(reason).toBeUndefined()
    else expect(reason).toContain(expected)
  }
})

describe('what is asked and said when a node comes', () => {
  const F = DistFlag
  const flags = {
    otp23: ADVERTISED & ~(F.V4_NC | F.ALIAS | F.ALTACT_SIG | F.NATIVE_RECORDS),
    otp25: ADVERTISED & ~(F.ALTACT_SIG | F.NATIVE_RECORDS),
    otp28: ADVERTISED & ~F.NATIVE_RECORDS,
    otp29: ADVERTISED,
  }

  /** Connects nodes one after another; gives who was asked for its release and what was logged. */
  async function meet(nodes: readonly { flags: bigint; release: number; hidden?: boolean }[]) {
    const connected: ConnectedNode[] = []
    let listener: ClusterListener = {}
    const asked: string[] = []
    const lines: string[] = []
    const named = nodes.map((node, i) => ({ ...node, node: internAtom(`n${i + 1}@h`) }))
    const find = (name: Atom) => named.find(({ node }) => node === name)
    guardBridging({
      cluster: {
        hidden: false,
        connected: () => connected,
        isConnected: (node) => connected.some((each) => each.node === node),
        connect: () => Promise.resolve(false),
        disconnect: () => {},
        listen: (given) => ((listener = given), () => {}),
      },
      flagsOf: (node) => find(node)?.flags,
      releaseOf: (node) => {
        asked.push(node.name)
        return Promise.resolve(find(node)?.release ?? Infinity)
      },
      warn: (line) => lines.push(line),
    })
    for (const [connectionId, { node, hidden = false }] of named.entries()) {
      const up = { node, hidden, connectionId }
      connected.push(up)
      listener.nodeUp?.(up)
      for (let turn = 0; turn < 10; turn++) await Promise.resolve()
    }
    return { asked: [...new Set(asked)].sort(), lines }
  }

  test('nodes of one age are asked nothing', async () => {
    expect(await meet([25, 26, 27].map((release) => ({ flags: flags.otp25, release })))).toEqual({
      asked: [],
      lines: [],
    })
    expect(
      await meet([28, 29].map((n) => ({ flags: n === 28 ? flags.otp28 : flags.otp29, release: n }))),
    ).toEqual({
      asked: [],
      lines: [],
    })
  })

  test('23 and 27: one line that names both and says why', async () => {
    const { asked, lines } = await meet([
      { flags: flags.otp23, release: 23 },
      { flags: flags.otp25, release: 27 },
    ])
    expect(asked).toEqual(['n1@h', 'n2@h'])
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatch(/^n2@h \(OTP 27\) and n1@h \(OTP 23\) .* refuse .* hidden node/)
  })

  test('29 among three of 25: one line, not three; a hidden one is no bridge', async () => {
    const old = { flags: flags.otp25, release: 25 }
    const { lines } = await meet([old, old, old, { flags: flags.otp29, release: 29 }])
    expect(lines).toHaveLength(1)
    expect(lines[0]).toContain('pg scope')
    expect(await meet([old, { flags: flags.otp29, release: 29, hidden: true }])).toEqual({
      asked: [],
      lines: [],
    })
  })

  test('a node that is none of OTP is asked, as its flags are those of 29, and nothing is said', async () => {
    const { asked, lines } = await meet([
      { flags: flags.otp25, release: 25 },
      { flags: flags.otp29, release: Infinity },
    ])
    expect(asked).toEqual(['n1@h', 'n2@h'])
    expect(lines).toEqual([])
  })
})
