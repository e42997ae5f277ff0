/** Link states ("New Link Protocol" of OTP's distribution protocol), and two sides that cross. */
import fc from 'fast-check'
import { internAtom } from '../../../src/etf/atom.js'
import { Pid } from '../../../src/etf/identifiers.js'
import { LinkTable } from '../../../src/process/links.js'

const other = new Pid(internAtom('b@h'), 1, 0, 2)

test('linking twice sends once; unlinking what is not linked sends nothing', () => {
  const links = new LinkTable()
  expect(links.unlinking(other)).toBeUndefined()
  expect(links.linking(other)).toBe(true)
  expect(links.linking(other)).toBe(false)
  expect(links.unlinking(other)).toBe(1)
  expect(links.unlinking(other)).toBeUndefined()
  expect(links.isActive(other)).toBe(false)
  expect(links.size).toBe(1)
})

test('a LINK that crosses our UNLINK_ID does not link; the acknowledgement removes the entry', () => {
  const links = new LinkTable()
  links.linking(other)
  const id = links.unlinking(other) as number
  links.linked(other)
  expect(links.isActive(other)).toBe(false)
  links.acknowledged(other, id + 1)
  expect(links.size).toBe(1)
  links.acknowledged(other, BigInt(id))
  expect(links.size).toBe(0)
})

test('linking again while an unlink is outstanding makes its acknowledgement meaningless', () => {
  const links = new LinkTable()
  links.linking(other)
  const id = links.unlinking(other) as number
  expect(links.linking(other)).toBe(true)
  links.acknowledged(other, id)
  expect(links.active()).toEqual([other])
})

test('UNLINK_ID removes an active link only; an exit over an inactive one is ignored', () => {
  const links = new LinkTable()
  links.linked(other)
  links.unlinked(other)
  expect(links.size).toBe(0)
  links.linking(other)
  links.unlinking(other)
  links.unlinked(other)
  expect(links.size).toBe(1)
  expect(links.broken(other)).toBe(false)
  links.linking(other)
  expect(links.broken(other)).toBe(true)
})

test('two sides that link and unlink at will agree once all signals have arrived', () => {
  type Signal = { type: 'link' } | { type: 'unlink'; id: number } | { type: 'ack'; id: number }
  const step = fc.constantFrom('link0', 'unlink0', 'link1', 'unlink1', 'deliver0', 'deliver1')
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const sides = [new LinkTable(), new LinkTable()] as const
      const towards: [Signal[], Signal[]] = [[], []]
      const deliver = (to: 0 | 1) => {
        const signal = towards[to].shift()
        if (signal === undefined) return
        if (signal.type === 'link') sides[to].linked(other)
        else if (signal.type === 'ack') sides[to].acknowledged(other, signal.id)
        else {
          towards[to === 0 ? 1 : 0].push({ type: 'ack', id: signal.id })
          sides[to].unlinked(other)
        }
      }
      for (const name of steps) {
        const side = name.endsWith('0') ? 0 : 1
        const far = side === 0 ? 1 : 0
        if (name.startsWith('deliver')) deliver(side)
        else if (name.startsWith('link')) {
          if (sides[side].linking(other)) towards[far].push({ type: 'link' })
        } else {
          const id = sides[side].unlinking(other)
          if (id !== undefined) towards[far].push({ type: 'unlink', id })
        }
      }
      while (towards[0].length + towards[1].length > 0) {
        deliver(0)
        deliver(1)
      }
      expect(sides[0].isActive(other)).toBe(sides[1].isActive(other))
      // Nothing of a link that is over is kept.
      expect(sides[0].size).toBe(sides[0].active().length)
    }),
    { seed: 11, numRuns: 2_000 },
  )
})
