/** Events that a probe remembers, of nodes that are not there. */
import { Probe } from '../../../src/dashboard/probe.js'

async function remembered(nodes: number, maxProbeEvents: number): Promise<string[]> {
  const names = Array.from({ length: nodes }, (_, at) => `gone${at}@127.0.0.1`)
  const probe = await Probe.start([], {
    cookie: 'secret',
    epmd: 'none',
    resolve: () => undefined,
    logger: { info: () => undefined, warn: () => undefined },
    limits: { maxProbeEvents },
  })
  try {
    const updates = probe.updates()
    for (const name of names) {
      await probe.watch(name)
      while (probe.status(name).status !== 'down') await updates.next()
    }
    return probe.timeline().map(({ node }) => node)
  } finally {
    await probe.stop()
  }
}

test('as many as the limit says; of one more the oldest is forgotten', async () => {
  expect(await remembered(2, 2)).toEqual(['gone0@127.0.0.1', 'gone1@127.0.0.1'])
  expect(await remembered(3, 2)).toEqual(['gone1@127.0.0.1', 'gone2@127.0.0.1'])
})
