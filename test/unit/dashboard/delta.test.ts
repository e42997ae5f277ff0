import { apply, applyRows, diff, diffRows } from '../../../src/dashboard/delta.js'

test('a patch has what changed, null for what is gone, and arrays whole', () => {
  const before = { a: 1, b: { c: 2, d: 3 }, list: [1, 2], gone: 'x' }
  const after = { a: 1, b: { c: 2, d: 4 }, list: [1, 3] }
  const patch = diff(before, after)
  expect(patch).toEqual({ b: { d: 4 }, list: [1, 3], gone: null })
  expect(apply(before, patch ?? {})).toEqual(after)
  expect(diff(after, { ...after })).toBeUndefined()
})

test('undefined and absent are the same', () => {
  expect(diff({ a: 1, b: undefined }, { a: 1 })).toBeUndefined()
  expect(diff({ a: 1 }, { a: undefined })).toEqual({ a: null })
})

test('what did not change is shared with the state before', () => {
  const before = { a: { x: 1 }, b: { y: 1 } }
  const after = apply(before, { b: { y: 2 } })
  expect(after.a).toBe(before.a)
  expect(before.b).toEqual({ y: 1 })
})

test('rows: changed, new, gone and moved', () => {
  const before = [
    { id: 'a', n: 1, name: 'first' },
    { id: 'b', n: 2, name: 'second' },
    { id: 'c', n: 3, name: 'third' },
  ]
  const after = [
    { id: 'c', n: 3, name: 'third' },
    { id: 'a', n: 5, name: 'first' },
    { id: 'd', n: 4, name: 'fourth' },
  ]
  const delta = diffRows(before, after, 'id')
  expect(delta).toEqual({
    order: ['c', 'a', 'd'],
    rows: [
      ['a', { n: 5 }],
      ['d', { id: 'd', n: 4, name: 'fourth' }],
    ],
  })
  expect(applyRows(before, delta ?? { rows: [] }, 'id')).toEqual(after)
  expect(diffRows(after, after, 'id')).toBeUndefined()
})

test('a first table has an order even when it is empty', () => {
  expect(diffRows(undefined, [], 'id')).toEqual({ order: [], rows: [] })
  expect(diffRows([], [], 'id')).toBeUndefined()
})

test('rows whose keys are not unique are kept all the same', () => {
  const twice = [
    { id: 'a', n: 1 },
    { id: 'a', n: 2 },
  ]
  const once = [{ id: 'a', n: 3 }]
  for (const [before, after] of [
    [undefined, twice],
    [once, twice],
    [twice, once],
    [twice, [...twice, { id: 'a', n: 4 }]],
  ] as const)
    expect(applyRows(before, diffRows(before, after, 'id') ?? { rows: [] }, 'id')).toEqual(after)
})
