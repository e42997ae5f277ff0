/**
 * A mixed cluster: three BEAMs, one of them of another release, and two visible beampeer nodes, each a host of its own, while nodes are
 * killed and the network is cut and healed. What happens is drawn from a seed; every wait is for an event.
 */
import type { ChildProcess } from 'node:child_process'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { asText } from '../../src/etf/as-text.js'
import type { Term } from '../../src/etf/terms.js'
import { build } from '../support/cli.js'
import { cookie, defaultRelease, freePort, startBeam, until, type Beam } from '../support/beam.js'
import { spawnTracked } from '../support/children.js'
import { Islands, type Island } from '../support/islands.js'
import { Lines } from '../support/lines.js'
import { seeded } from '../support/seeded.js'

const NAMES = 1_000
/** The release of one of the BEAMs, which goes together with that of the others. */
const OTHER_RELEASE = new Map([
  [23, 25],
  [25, 27],
  [27, 29],
  [29, 27],
]).get(defaultRelease())
const SEED = Number(process.env['BEAMPEER_SEED'] ?? 20_250_607)

/** What the test does with a node, of either kind. */
interface Member {
  readonly name: string
  connect(to: string): Promise<boolean>
  nodes(): Promise<string[]>
  sync(): Promise<string>
  register(ids: readonly number[]): Promise<boolean[]>
  names(): Promise<string[]>
  /** Nodes that have a member in the group which each node joins when it starts. */
  grouped(): Promise<string[]>
  log(): string[]
  kill(): Promise<void>
}

class BeamMember implements Member {
  readonly #beam: Beam

  constructor(beam: Beam) {
    this.#beam = beam
  }

  get name(): string {
    return this.#beam.name
  }

  static async start(alive: string, island: Island, epmdPort: number): Promise<Member> {
    const args = ['-kernel', 'net_ticktime', '2', '-kernel', 'net_setuptime', '2']
    const name = `${alive}@${island.address}`
    const other = alive === 'b2' && OTHER_RELEASE !== undefined ? { otp: OTHER_RELEASE } : {}
    const beam = await startBeam({ name, prefix: island.prefix, epmdPort, args, ...other })
    await beam.compile(`-module(member).
      -export([register/1, names/0]).
      register(Ids) ->
        [global:register_name({n, Id}, spawn(fun() -> receive stop -> ok end end)) =:= yes || Id <- Ids].
      names() -> lists:sort([text(N, global:whereis_name(N)) || N <- global:registered_names()]).
      text(Name, undefined) -> iolist_to_binary(io_lib:format("~0p undefined", [Name]));
      text(Name, Pid) ->
        %% NEW_PID_EXT after its node: id, serial and creation, which the shell does not tell.
        <<131, 88, Tag, Rest/binary>> = term_to_binary(Pid),
        Numbers = case {Tag, Rest} of
          {100, <<L:16, _:L/binary, N/binary>>} -> N;
          {118, <<L:16, _:L/binary, N/binary>>} -> N;
          {119, <<L:8, _:L/binary, N/binary>>} -> N
        end,
        <<Id:32, Serial:32, Creation:32>> = Numbers,
        iolist_to_binary(io_lib:format("~0p ~s ~b ~b ~b", [Name, node(Pid), Id, Serial, Creation])).`)
    await beam.evalText(
      '{ok, _} = pg:start(cluster), ok = pg:join(cluster, all, spawn(fun() -> receive stop -> ok end end))',
    )
    return new BeamMember(beam)
  }

  async connect(to: string): Promise<boolean> {
    return (await this.#beam.eval(`net_kernel:connect_node('${to}')`)) === true
  }

  async nodes(): Promise<string[]> {
    return ((await this.#beam.eval('nodes()')) as readonly Term[]).map(String)
  }

  sync(): Promise<string> {
    return this.#beam.evalText('global:sync()')
  }

  async register(ids: readonly number[]): Promise<boolean[]> {
    return (await this.#beam.eval(`member:register([${ids.join()}])`)) as unknown as boolean[]
  }

  async names(): Promise<string[]> {
    const names = (await this.#beam.eval('member:names()')) as readonly Term[]
    return names.map((text) => asText(text) ?? '').sort()
  }

  async grouped(): Promise<string[]> {
    const nodes = (await this.#beam.eval('[node(P) || P <- pg:get_members(cluster, all)]')) as readonly Term[]
    return nodes.map(String).sort()
  }

  log(): string[] {
    return this.#beam.log()
  }

  async kill(): Promise<void> {
    this.#beam.kill('SIGKILL')
    await this.#beam.exit
  }
}

class NodeMember implements Member {
  readonly name: string
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>()
  readonly #log: Lines
  readonly #exit: Promise<void>
  #lastId = 0

  private constructor(name: string, child: ChildProcess) {
    this.name = name
    this.#child = child
    this.#log = new Lines(child.stderr as Readable)
    this.#exit = new Promise((ended) =>
      child.once('exit', () => {
        for (const { reject } of this.#waiting.values()) {
          reject(new Error(`${name} has ended:\n${this.#log.text()}`))
        }
        this.#waiting.clear()
        ended()
      }),
    )
    createInterface({ input: child.stdout as Readable }).on('line', (line) => {
      const { id, value, error } = JSON.parse(line) as { id: number; value?: unknown; error?: string }
      const waiting = this.#waiting.get(id)
      this.#waiting.delete(id)
      if (error === undefined) waiting?.resolve(value)
      else waiting?.reject(new Error(`${name}: ${error}`))
    })
  }

  static async start(alive: string, island: Island, epmdPort: number): Promise<Member> {
    build()
    const script = resolve('test/support/cluster-node.mjs')
    const args = [process.execPath, script, alive, island.address, cookie, String(epmdPort)]
    const [program = '', ...rest] = [...island.prefix, ...args]
    const child = await spawnTracked(program, rest, { stdio: ['pipe', 'pipe', 'pipe'] })
    const member = new NodeMember(`${alive}@${island.address}`, child)
    await new Promise((resolve, reject) => member.#waiting.set(0, { resolve, reject }))
    return member
  }

  #ask<T>(op: string, args: object = {}): Promise<T> {
    const id = ++this.#lastId
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve: (value) => resolve(value as T), reject })
      ;(this.#child.stdin as Writable).write(`${JSON.stringify({ id, op, ...args })}\n`)
    })
  }

  connect(to: string): Promise<boolean> {
    return this.#ask('connect', { to })
  }

  nodes(): Promise<string[]> {
    return this.#ask('nodes')
  }

  sync(): Promise<string> {
    return this.#ask('sync')
  }

  register(ids: readonly number[]): Promise<boolean[]> {
    return this.#ask('register', { ids })
  }

  names(): Promise<string[]> {
    return this.#ask('names')
  }

  grouped(): Promise<string[]> {
    return this.#ask('grouped')
  }

  log(): string[] {
    return this.#log.all()
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#exit
  }
}

interface Place {
  readonly alive: string
  readonly island: Island
  readonly kind: typeof BeamMember | typeof NodeMember
  member: Member
}

describe('a mixed cluster', () => {
  const random = seeded(SEED)
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T
  let places: Place[]
  let net: Islands
  let epmdPort: number
  let nextId = 1
  /** Names that a node said it registered, and which incarnation of it. */
  const registered = new Map<number, Member>()

  beforeAll(async () => {
    net = new Islands()
    epmdPort = await freePort()
    const kinds = [
      ['b1', BeamMember],
      ['j1', NodeMember],
      ['b2', BeamMember],
      ['j2', NodeMember],
      ['b3', BeamMember],
    ] as const
    places = await Promise.all(
      kinds.map(async ([alive, kind]) => {
        const island = net.add()
        await net.startEpmd(island, epmdPort)
        return { alive, island, kind, member: await kind.start(alive, island, epmdPort) }
      }),
    )
  }, 60_000)

  const members = () => places.map(({ member }) => member)

  /** Every node sees every other, and has its names and its member of the group. */
  async function meshed(): Promise<void> {
    for (const one of members()) {
      const others = members().filter((each) => each !== one)
      await until(
        async () => {
          const seen = await one.nodes()
          const missing = others.filter(({ name }) => !seen.includes(name))
          await Promise.all(missing.map(({ name }) => one.connect(name)))
          return missing.length === 0
        },
        { timeoutMs: 60_000, what: `${one.name} connected to all` },
      )
    }
    expect(await Promise.all(members().map((member) => member.sync()))).toEqual(members().map(() => 'ok'))
    await groupedAs(members())
  }

  /** Each of these nodes has the members of them all in the group, and no others. */
  async function groupedAs(those: readonly Member[]): Promise<void> {
    const expected = those.map(({ name }) => name).sort()
    await until(
      async () => {
        const views = await Promise.all(those.map((member) => member.grouped()))
        return views.every((view) => view.join() === expected.join())
      },
      { timeoutMs: 60_000, what: `${expected.join()} in the group of each of them` },
    )
  }

  /** All nodes have the same names for the same processes; gives them. */
  async function agreed(): Promise<string[]> {
    let views: string[][] = []
    await until(
      async () => {
        views = await Promise.all(members().map((member) => member.names()))
        return views.every((view) => JSON.stringify(view) === JSON.stringify(views[0]))
      },
      { timeoutMs: 60_000, what: 'all nodes with the same names' },
    )
    return views[0] as string[]
  }

  /** Some hundred names, in small lots, each lot at a node that is drawn; the lots of two nodes at a time. */
  async function registerNames(count: number, among: () => readonly Place[]): Promise<void> {
    const end = nextId + count
    const lane = async (): Promise<void> => {
      while (nextId < end) {
        const ids = Array.from({ length: Math.min(20, end - nextId) }, () => nextId++)
        const { member } = pick(among())
        try {
          const results = await member.register(ids)
          ids.forEach((id, index) => results[index] && registered.set(id, member))
        } catch {
          // It was killed meanwhile; what it had registered is gone with it.
        }
      }
    }
    await Promise.all([lane(), lane()])
  }

  async function restart(place: Place): Promise<void> {
    await place.member.kill()
    place.member = await place.kind.start(place.alive, place.island, epmdPort)
  }

  /** What nodes log when something is amiss, but about those that were killed: their end is news, and no complaint. */
  const complaints = (killed: readonly string[] = []) =>
    members()
      .flatMap((member) => member.log())
      .filter((line) => /overlapping|unexpected|failed to connect|out of sync|error/i.test(line))
      .filter((line) => !killed.some((name) => line.includes(name)))

  test('global:sync() returns on all at once, and no one has a reason to complain', async () => {
    const [first, ...others] = members() as [Member, ...Member[]]
    // Each meets one: the rest they learn from each other.
    for (const other of others) expect(await other.connect(first.name)).toBe(true)
    await meshed()
    expect(complaints()).toEqual([])
  }, 60_000)

  test('names from all nodes are the same on all', async () => {
    await registerNames(NAMES / 5, () => places)
    expect(await agreed()).toHaveLength(NAMES / 5)
    expect(complaints()).toEqual([])
  }, 120_000)

  test('while nodes of both kinds are killed and come back', async () => {
    const [beam, node] = [
      pick(places.filter((p) => p.kind === BeamMember)),
      pick(places.filter((p) => p.kind === NodeMember)),
    ]
    for (const victim of [beam, node]) {
      const before = victim.member
      await Promise.all([
        registerNames(NAMES / 5, () => places.filter(({ member }) => member !== before)),
        restart(victim),
      ])
      for (const [id, owner] of registered) if (owner === before) registered.delete(id)
      await meshed()
      expect(await agreed()).toHaveLength(registered.size)
    }
    expect(complaints([beam.member.name, node.member.name])).toEqual([])
  }, 180_000)

  test('while the network is cut in two, and heals', async () => {
    const sides = [places.slice(0, 2), places.slice(2)] as const
    net.cut(
      sides[0].map(({ island }) => island),
      sides[1].map(({ island }) => island),
    )
    await until(
      async () => {
        for (const side of sides) {
          const names = side.map(({ member }) => member.name)
          for (const { member } of side) {
            if ((await member.nodes()).some((other) => !names.includes(other))) return false
          }
        }
        return true
      },
      { timeoutMs: 60_000, what: 'both sides without the other' },
    )
    for (const side of sides) await groupedAs(side.map(({ member }) => member))
    // The same names on both sides: one of each two processes is to go when they meet.
    const conflicting = Array.from({ length: 50 }, () => nextId++)
    await Promise.all(sides.map((side) => registerNames(NAMES / 10, () => side)))
    const both = await Promise.all(sides.map((side) => (pick(side) as Place).member.register(conflicting)))
    expect(both.flat()).toEqual(Array(100).fill(true))
    net.heal()
    await meshed()
    const names = await agreed()
    expect(names).toHaveLength(registered.size + conflicting.length)
    for (const id of conflicting)
      expect(names.filter((line) => line.startsWith(`{n,${id}} `))).toHaveLength(1)
  }, 240_000)

  test('while one beampeer node is cut off from all, and heals', async () => {
    const node = pick(places.filter((place) => place.kind === NodeMember))
    const others = places.filter((place) => place !== node)
    net.cut(
      [node.island],
      others.map(({ island }) => island),
    )
    await until(async () => (await node.member.nodes()).length === 0, { timeoutMs: 60_000 })
    await groupedAs([node.member])
    await groupedAs(others.map(({ member }) => member))
    const before = registered.size
    await registerNames(NAMES / 4, () => others)
    expect(registered.size).toBeGreaterThan(before)
    net.heal()
    await meshed()
    expect(await agreed()).toHaveLength(registered.size + 50)
    expect(nextId).toBeGreaterThan(NAMES)
  }, 240_000)
})
