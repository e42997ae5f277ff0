/** The sampler's budget, on a node that is only figures. */
import { initialCall, ProcessSampler, type SamplerBudget } from '../../../src/dashboard/process-sampler.js'
import { atom, encode, Pid, tuple, type Atom, type Term } from '../../../src/index.js'
import { fakeRemote } from '../../support/fake-remote.js'

const NODE = 'app@one'

/** A node with `count` processes; process N has N times the memory of the first. Time passes when the test says so. */
function sampled(count: number, budget: Partial<SamplerBudget> = {}) {
  const world = { count, clock: 0, callMs: 0, reductions: 1_000, ending: 0, endsWhenAsked: false }
  const pid = (id: number) => new Pid(atom(NODE), id, 0, 1)
  /** Whether a process is there when it is asked what it is; the last one may have ended when that is asked again. */
  const there = (of: Pid) => {
    const found = of.id <= world.count
    if (world.endsWhenAsked && of.id === world.count) {
      world.count--
      world.endsWhenAsked = false
    }
    return found
  }
  const { remote, calls } = fakeRemote(NODE, {
    'erlang:system_info': () => world.count,
    'erlang:processes': () => Array.from({ length: world.count }, (_, at) => pid(at + 1)),
    'erlang:process_info': (of: Pid, items: Atom[]): Term => {
      if (items[0]?.name === 'memory') world.clock += world.callMs / 100
      // Those that end do so before they are asked for their names, the last ones first.
      if (items[0]?.name === 'registered_name' && world.ending > 0 && of.id === world.count) {
        world.count--
        world.ending--
      }
      const found = items[0]?.name === 'registered_name' ? there(of) : of.id <= world.count
      if (!found) return atom('undefined')
      const values: Record<string, Term> = {
        memory: of.id * 100,
        reductions: world.reductions * of.id,
        message_queue_len: world.count - of.id,
        registered_name: [],
        current_function: tuple(atom('gen_server'), atom('loop'), 7),
        initial_call: tuple(atom('proc_lib'), atom('init_p'), 5),
      }
      return items.map((item) => tuple(item, values[item.name] as Term)) as Term
    },
    'proc_lib:translate_initial_call': (of: Pid) =>
      there(of) ? tuple(atom('shop'), atom('init'), 1) : tuple(atom('proc_lib'), atom('init_p'), 5),
  })
  const sampler = new ProcessSampler({
    remote,
    budget: { maxRows: 100, maxBytes: 1e9, maxMs: 1e9, pidsAgeMs: 60_000, ...budget },
    now: () => 0,
    clock: () => world.clock,
  })
  return { sampler, world, calls }
}

test('as many processes as the limit of rows are read whole; of one more a poll reads that many', async () => {
  const at = await sampled(100).sampler.poll('memory', 3)
  expect(at).toMatchObject({ sampled: 100, fresh: 100, total: 100 })
  expect(at.rows.map(({ pid }) => pid)).toEqual(['<0.100.0>', '<0.99.0>', '<0.98.0>'])
  expect(at.rows[0]).toMatchObject({ memory: 10_000, initialCall: 'shop:init/1', registeredName: undefined })
  expect(await sampled(101).sampler.poll('memory', 3)).toMatchObject({ sampled: 100, fresh: 100, total: 101 })
})

test('of many, those that lead are read again and the rest in turn, until all are known', async () => {
  const { sampler } = sampled(1_000)
  let table = await sampler.poll('memory', 5)
  for (let polls = 1; table.sampled < 1_000; polls++) {
    expect(polls).toBeLessThan(30)
    table = await sampler.poll('memory', 5)
    expect(table.fresh).toBe(100)
  }
  expect(table.rows.map(({ memory }) => memory)).toEqual([100_000, 99_900, 99_800, 99_700, 99_600])
})

test('the list of pids is read again at its age, not before; a short one each time', async () => {
  const { sampler, world, calls } = sampled(1_000)
  const lists = () => calls.filter((call) => call === 'erlang:processes').length
  await sampler.poll('memory', 1)
  world.clock = 59_999
  expect((await sampler.poll('memory', 1)).pidsAgeMs).toBe(59_999)
  expect(lists()).toBe(1)
  world.clock = 60_000
  expect((await sampler.poll('memory', 1)).pidsAgeMs).toBe(0)
  expect(lists()).toBe(2)
  world.count = 100
  await sampler.poll('memory', 1)
  world.clock += 1
  expect((await sampler.poll('memory', 1)).pidsAgeMs).toBe(0)
  expect(lists()).toBe(4)
})

test('rows of more bytes than the limit are fewer from the next poll on', async () => {
  const roomy = sampled(1_000)
  await roomy.sampler.poll('memory', 1)
  expect(roomy.sampler.rows).toBe(100)
  // Some 70 bytes each: half of them fit.
  const { sampler } = sampled(1_000, { maxBytes: 3_500 })
  expect(sampler.rows).toBe(100)
  await sampler.poll('memory', 1)
  expect(sampler.rows).toBeLessThan(80)
  expect(sampler.rows).toBeGreaterThanOrEqual(20)
  expect((await sampler.poll('memory', 1)).fresh).toBe(sampler.rows)
})

test('as many bytes as the limit are asked for; one byte less of a limit, and it is a row less', async () => {
  // What the first twenty processes of a poll took is what a row is taken to be.
  const answers = Array.from({ length: 20 }, (_, at) => [
    tuple(atom('memory'), (at + 1) * 100),
    tuple(atom('reductions'), (at + 1) * 1_000),
    tuple(atom('message_queue_len'), 1_000 - (at + 1)),
  ])
  const forty = 2 * encode(answers).length
  for (const [maxBytes, rows] of [
    [forty, 40],
    [forty - 1, 39],
  ] as const) {
    const { sampler } = sampled(1_000, { maxBytes })
    await sampler.poll('memory', 1)
    expect(sampler.rows).toBe(rows)
    expect(await sampler.poll('memory', 1)).toMatchObject({ fresh: rows })
  }
})

test('a poll that takes longer than its time asks for half, then slowly for more', async () => {
  const { sampler, world } = sampled(1_000, { maxMs: 100 })
  world.callMs = 100
  await sampler.poll('memory', 1)
  expect(sampler.rows).toBe(100)
  world.callMs = 101
  await sampler.poll('memory', 1)
  expect(sampler.rows).toBe(50)
  world.callMs = 1
  await sampler.poll('memory', 1)
  expect(sampler.rows).toBe(55)
  world.callMs = 1_000
  for (let i = 0; i < 5; i++) await sampler.poll('memory', 1)
  expect(sampler.rows).toBe(20)
})

test('where a process ends before its name is read, the next takes its place; not for ever', async () => {
  const { sampler, world, calls } = sampled(100)
  const asked = () => calls.filter((call) => call === 'lists:zipwith').length
  world.ending = 3
  const table = await sampler.poll('memory', 3)
  expect(table.rows.map(({ pid }) => pid)).toEqual(['<0.97.0>', '<0.96.0>', '<0.95.0>'])
  expect(table.rows.every(({ initialCall }) => initialCall === 'shop:init/1')).toBe(true)
  expect(asked()).toBe(1 + 2)
  world.ending = 4
  expect((await sampler.poll('memory', 1)).rows).toEqual([])
  expect(asked()).toBe(1 + 2 + 1 + 4)
})

test('what a process was started with is known of every row, even where it ends while that is asked', async () => {
  const { sampler, world } = sampled(3)
  world.endsWhenAsked = true
  const { rows } = await sampler.poll('memory', 3)
  expect(rows.map(({ pid, initialCall: call }) => [pid, call])).toEqual([
    ['<0.2.0>', 'shop:init/1'],
    ['<0.1.0>', 'shop:init/1'],
  ])
})

test('reductions per second are known from the second reading; processes that are gone are forgotten', async () => {
  const { sampler, world } = sampled(10)
  const first = await sampler.poll('reductions', 10)
  expect(first.rows.every(({ reductionsRate }) => reductionsRate === undefined)).toBe(true)
  world.clock += 2_000
  world.reductions = 1_500
  const second = await sampler.poll('reductions', 2)
  expect(second.rows.map(({ pid, reductionsRate }) => [pid, reductionsRate])).toEqual([
    ['<0.10.0>', 2_500],
    ['<0.9.0>', 2_250],
  ])
  world.count = 4
  expect(await sampler.poll('messageQueueLen', 1)).toMatchObject({
    sampled: 4,
    total: 4,
    rows: [{ pid: '<0.1.0>', messageQueueLen: 3 }],
  })
})

test('proc_lib knows what its processes were started with, the emulator of others', () => {
  expect(initialCall(tuple(atom('proc_lib'), atom('init_p'), 5), 'shop:init/1')).toBe('shop:init/1')
  expect(initialCall(tuple(atom('erlang'), atom('apply'), 2), 'proc_lib:init_p/5')).toBe('erlang:apply/2')
  expect(initialCall(undefined, 'shop:init/1')).toBe('shop:init/1')
})
