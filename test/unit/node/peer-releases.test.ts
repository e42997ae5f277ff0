import { atom, type Atom } from '../../../src/etf/atom.js'
import type { Kernel } from '../../../src/kernel/kernel.js'
import { DEFAULT_LIMITS } from '../../../src/limits.js'
import { PeerReleases } from '../../../src/node/peer-releases.js'
import type { Erpc } from '../../../src/rex/erpc.js'

type Status = { type: string; node: Atom }
type Call = { node: Atom; timeoutMs: number; answer: (value: unknown) => void; fail: (error: Error) => void }

/** The two of which PeerReleases asks, as far as it does. */
function asked() {
  const peers = new Map<Atom, { link: { peerCreation: number } }>()
  const calls: Call[] = []
  let tell: (status: Status) => void = () => undefined
  const kernel = { peers, table: { onNodeStatus: (listener: typeof tell) => void (tell = listener) } }
  const erpc = {
    call: (node: Atom, _m: string, _f: string, _a: unknown[], { timeoutMs }: { timeoutMs: number }) =>
      new Promise((answer, fail) => calls.push({ node, timeoutMs, answer, fail })),
  }
  const releases = new PeerReleases(kernel as unknown as Kernel, erpc as unknown as Erpc, DEFAULT_LIMITS)
  return { peers, calls, releases, tell: (status: Status) => tell(status) }
}

const peer = atom('peer@127.0.0.1')

test('a peer is asked once for each time it is started, for no longer than peerReleaseTimeoutMs', async () => {
  const { peers, calls, releases, tell } = asked()
  peers.set(peer, { link: { peerCreation: 1 } })
  const both = Promise.all([releases.of(peer), releases.of(peer)])
  expect(calls).toMatchObject([{ node: peer, timeoutMs: DEFAULT_LIMITS.peerReleaseTimeoutMs }])
  calls[0]?.answer([50, 55])
  expect(await both).toEqual([27, 27])

  peers.set(peer, { link: { peerCreation: 2 } })
  const after = releases.of(peer)
  calls[1]?.answer(Buffer.from('29'))
  expect(await after).toBe(29)
  tell({ type: 'nodedown', node: peer })
  void releases.of(peer)
  expect(calls).toHaveLength(3)
})

test('one that does not say in time, or is not connected, counts as recent', async () => {
  const { peers, calls, releases } = asked()
  peers.set(peer, { link: { peerCreation: 1 } })
  const release = releases.of(peer)
  calls[0]?.fail(new Error('timeout'))
  expect(await release).toBe(Infinity)
  expect(await releases.of(atom('stranger@127.0.0.1'))).toBe(Infinity)
})
