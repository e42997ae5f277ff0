/** Why connections failed is remembered for a bounded number of nodes, the latest ones. */
import { internAtom } from '../../../src/etf/atom.js'
import { Cluster } from './support.js'

test('errors of maxRememberedErrors nodes are kept; one more forgets the oldest, a repeated one counts as new', async () => {
  const kernel = new Cluster().member('n@virtual', { limits: { maxRememberedErrors: 2 } })
  const fail = async (name: string) => {
    await expect(kernel.peers.connect(internAtom(name))).rejects.toMatchObject({ code: 'NODE_NOT_FOUND' })
  }
  const remembered = () =>
    ['a@virtual', 'b@virtual', 'c@virtual'].filter(
      (name) => kernel.connectionError(internAtom(name)) !== undefined,
    )
  await fail('a@virtual')
  await fail('b@virtual')
  expect(remembered()).toEqual(['a@virtual', 'b@virtual'])
  await fail('a@virtual')
  await fail('c@virtual')
  expect(remembered()).toEqual(['a@virtual', 'c@virtual'])
})
