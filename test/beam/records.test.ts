/** Native records (RECORD_EXT, from OTP 29 on) across a connection, in every combination of atom cache and fragments. */
import { internAtom as atom } from '../../src/etf/atom.js'
import { Pid } from '../../src/etf/identifiers.js'
import type { Term } from '../../src/etf/terms.js'
import { tuple } from '../../src/etf/tuple.js'
import { NativeRecord } from '../../src/etf/values.js'
import { type Beam, startBeam } from '../support/beam.js'
import { startNode } from '../support/nodes.js'

const MODULE = `
-module(record_test).
-export([make/1, inner/1, is/1, echo/1]).
-export_record([point]).
-record #point{x = 1, y}.
-record #hidden{inside}.
make(Y) -> #point{x = 10, y = Y}.
inner(Value) -> #hidden{inside = Value}.
is(#point{x = X, y = #hidden{inside = Inside}}) -> {point, X, Inside};
is(#point{x = X}) -> {point, X};
is(_) -> no.
echo(Term) -> Term.
`

let beam: Beam
beforeAll(async () => {
  beam = await startBeam()
  if (beam.release >= 29) await beam.compile(MODULE)
})

const FORMS: readonly (readonly [string, { atomCache: boolean; fragments: boolean }])[] = [
  ['neither', { atomCache: false, fragments: false }],
  ['the atom cache', { atomCache: true, fragments: false }],
  ['fragments', { atomCache: false, fragments: true }],
  ['both', { atomCache: true, fragments: true }],
]

describe.each(FORMS)('with %s', (_, options) => {
  it('records come from where there are some, and go back as they were', async () => {
    const node = await startNode(options)
    await node.connect(beam.name)
    const call = (name: string, ...args: Term[]): Promise<Term> =>
      node.erpc.call(beam.name, 'record_test', name, args)
    if (beam.release < 29) {
      // A release that has none is told so at the sender, and the connection lives.
      const record = new NativeRecord(atom('record_test'), atom('point'), true, [atom('x')], [1])
      await expect(call('echo', record)).rejects.toThrow(
        expect.objectContaining({ code: 'ETF_PEER_CANNOT_CARRY' }),
      )
      expect(await node.erpc.call(beam.name, 'erlang', 'abs', [-1])).toBe(1)
      return
    }
    const long = new Uint8Array(200_000).fill(7)
    for (const value of [1, atom('record_test'), new Uint8Array(3), long]) {
      const record = (await call('make', value)) as NativeRecord
      expect(record).toBeInstanceOf(NativeRecord)
      expect([record.module, record.name, record.exported]).toEqual([
        atom('record_test'),
        atom('point'),
        true,
      ])
      expect(record.fields).toEqual([atom('x'), atom('y')])
      expect(record.values[0]).toBe(10)
      expect(await call('is', record)).toEqual(tuple(atom('point'), 10))
      expect(await call('echo', record)).toEqual(record)
    }
    const hidden = (await call('inner', 5)) as NativeRecord
    expect(hidden.exported).toBe(false)
    expect(await call('is', (await call('make', hidden)) as Term)).toEqual(tuple(atom('point'), 10, 5))
  })
})

it('records arrive in messages, or are refused where they are sent', async () => {
  const node = await startNode()
  const point = new NativeRecord(
    atom('record_test'),
    atom('point'),
    true,
    [atom('x'), atom('y')],
    [10, atom('a')],
  )
  const received = new Promise<Term>((resolve) => {
    const process = node.spawn(async (self) => resolve((await self.receive()) as Term))
    node.register('records', process)
  })
  await node.connect(beam.name)
  if (beam.release < 29) {
    expect(() => node.send({ name: 'nobody', node: beam.name }, point)).toThrow(
      expect.objectContaining({ code: 'ETF_PEER_CANNOT_CARRY' }),
    )
    return
  }
  await beam.eval(`{records, '${node.name}'} ! {self(), record_test:make(a)}, ok`)
  const { elements } = (await received) as ReturnType<typeof tuple>
  expect(elements[0]).toBeInstanceOf(Pid)
  expect(elements[1]).toEqual(point)
})
