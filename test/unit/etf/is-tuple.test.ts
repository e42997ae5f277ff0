import { atom, isTuple, tuple, type Atom, type Term, type Tuple } from '../../../src/etf/node.js'

describe('isTuple', () => {
  const ok = tuple(atom('ok'), 1)

  test('by kind, tag and size', () => {
    expect(isTuple(ok)).toBe(true)
    expect(isTuple(tuple())).toBe(true)
    expect(isTuple(ok, 'ok')).toBe(true)
    expect(isTuple(ok, 'ok', 2)).toBe(true)
    expect(isTuple(tuple(true, 1), 'true', 2)).toBe(true)
  })

  test.each([[[atom('ok'), 1]], [atom('ok')], ['ok'], [undefined], [null], [{ elements: [atom('ok'), 1] }]])(
    '%p is none',
    (term) => {
      expect(isTuple(term)).toBe(false)
      expect(isTuple(term, 'ok')).toBe(false)
    },
  )

  test('another tag, another size, no tag', () => {
    expect(isTuple(ok, 'error')).toBe(false)
    expect(isTuple(ok, 'ok', 3)).toBe(false)
    expect(isTuple(tuple('ok', 1), 'ok')).toBe(false)
    expect(isTuple(tuple(), 'undefined')).toBe(false)
  })

  test('narrows unknown, and unions', () => {
    const term: unknown = ok
    if (!isTuple(term, 'ok', 2)) throw new Error('not narrowed')
    const elements: readonly [Atom<'ok'>, Term] = term.elements
    expect(elements[1]).toBe(1)
    const reply = ok as unknown as
      Tuple<readonly [Atom<'ok'>, number]> | Tuple<readonly [Atom<'error'>, string]>
    const value: number = isTuple(reply, 'ok', 2) ? reply.elements[1] : reply.elements[1].length
    expect(value).toBe(1)
  })
})
