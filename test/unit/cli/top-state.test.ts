/** What keys do to `beampeer top`, with a probe that answers when the test says so. */
import { TopState } from '../../../src/cli/top-state.js'
import type { Probe, ProcessDetail } from '../../../src/dashboard/index.js'

type Asked = {
  pid: string
  wanted: object
  answer(detail: Partial<ProcessDetail> | undefined): Promise<void>
  fail(): Promise<void>
}

function started() {
  const asked: Asked[] = []
  const rows = ['<0.1.0>', '<0.2.0>', '<0.3.0>'].map((pid) => ({ pid }))
  const settled = () => new Promise<void>((resolve) => setImmediate(resolve))
  const probe = {
    statuses: () => [{ node: 'app@one', status: 'up' }],
    timeline: () => [],
    processes: () => Promise.resolve({ node: 'app@one', rows }),
    process: (_node: string, pid: string, wanted: object) =>
      new Promise((resolve, reject) =>
        asked.push({
          pid,
          wanted,
          answer: (detail) => (
            resolve(detail && { pid, stackTrace: [], links: [], monitors: [], monitoredBy: [], ...detail }),
            settled()
          ),
          fail: () => (reject(new Error('down')), settled()),
        }),
      ),
  }
  const state = new TopState({
    probe: probe as unknown as Probe,
    sort: 'memory',
    node: 'app@one',
    size: () => ({ width: 80, height: 24 }),
    changed: () => undefined,
    end: () => undefined,
  })
  state.refresh()
  const press = (...keys: string[]) => keys.forEach((key) => state.key(key))
  const last = () => asked.at(-1) as Asked
  return { state, press, asked, last, settled, shown: () => state.view.process }
}

test('a process is read when it is opened and at each poll; what is on demand when it is asked for alone', async () => {
  const { state, press, asked, last, settled, shown } = started()
  await settled()
  press('DOWN', 'ENTER')
  expect([shown()?.pid, last().wanted]).toEqual(['<0.2.0>', {}])
  await last().answer({ reductions: 100 })
  expect(shown()?.detail?.reductions).toBe(100)
  state.polled('app@one')
  expect(asked.map(({ wanted }) => wanted)).toEqual([{}, {}])
  await last().answer({ reductions: 300 })
  press('s', 's')
  expect([asked.length, last().wanted, shown()?.state]).toEqual([3, { state: true }, 'reading'])
  await last().answer({ state: 'open' })
  expect(shown()?.state).toMatchObject({ value: 'open' })
  press('d')
  await last().answer({ dictionary: [] })
  expect(shown()).toMatchObject({
    dictionary: { value: [] },
    state: { value: 'open' },
    detail: { reductions: 300 },
  })
})

test('an answer for a process that is no longer open is dropped', async () => {
  const { press, asked, settled, shown } = started()
  await settled()
  press('ENTER', 's', 'ESCAPE')
  const [first, state] = asked as [Asked, Asked]
  await first.answer({ reductions: 1 })
  expect(shown()).toBe(undefined)
  press('DOWN', 'ENTER', 's')
  await state.answer({ state: 'of the first' })
  expect(shown()).toMatchObject({ pid: '<0.2.0>', state: 'reading', detail: undefined })
})

test('a process that has ended keeps its last figures; where a node cannot be asked nothing changes', async () => {
  const { state, press, last, settled, shown } = started()
  await settled()
  press('ENTER')
  await last().answer({ reductions: 1 })
  press('s')
  await last().fail()
  expect(shown()).toMatchObject({ state: undefined, gone: false })
  state.polled('app@one')
  await last().answer(undefined)
  expect(shown()).toMatchObject({ detail: { reductions: 1 }, gone: true })
})

test('a pause holds a process, but for what is asked for', async () => {
  const { state, press, asked, last, settled, shown } = started()
  await settled()
  press('ENTER')
  await last().answer({ reductions: 1 })
  press('p')
  state.polled('app@one')
  expect(asked.length).toBe(1)
  press('d')
  await last().answer({ dictionary: [{ key: 'a', value: 'b' }] })
  expect(shown()).toMatchObject({ dictionary: { value: [{ key: 'a', value: 'b' }] } })
})
