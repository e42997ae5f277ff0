/**
 * Connections that break at any moment, while name servers meet and scopes discover each other among them: however often,
 * groups and names are the same on both sides once they are connected again, and nobody's server has ended.
 */
import type { Pid } from '../../src/etf/identifiers.js'
import { startBeam, until, type Beam } from '../support/beam.js'
import { startNode } from '../support/nodes.js'
import { seeded } from '../support/seeded.js'

const ROUNDS = 40
const SEED = Number(process.env['BEAMPEER_SEED'] ?? 7)

/** Lets some turns of the event loop and answers of the BEAM go by: a moment that is not measured in time. */
async function letPass(beam: Beam, turns: number): Promise<void> {
  for (let i = 0; i < turns; i++) {
    if (i % 8 === 7) await beam.evalText('ok')
    else await new Promise(setImmediate)
  }
}

test.each([undefined, 27, 29])('OTP %s: connections that break at any moment', async (otp) => {
  const random = seeded(SEED)
  const [beam, node] = await Promise.all([startBeam({ ...(otp && { otp }) }), startNode({ hidden: false })])
  await beam.evalText('{ok, Scope} = pg:start(work), Names = whereis(global_name_server)')
  const scope = node.pg.start('work')
  const ours = node.spawn((self) => self.receive())
  node.pg.join('work', 'lasting', ours)
  await node.global.register('ours', ours)
  const theirs = (await beam.eval(`P = spawn(fun() -> receive stop -> ok end end),
    ok = pg:join(work, lasting, P), yes = global:register_name(theirs, P), P`)) as Pid

  for (let round = 0; round < ROUNDS; round++) {
    await until(() => node.connect(beam.name))
    await letPass(beam, Math.floor(random() * 80))
    // Each side may connect to the other again by itself: a locker gives back the locks that it has there.
    if (random() < 0.5) node.disconnect(beam.name)
    else await beam.evalText(`erlang:disconnect_node('${node.name}')`)
    await letPass(beam, Math.floor(random() * 8))
  }

  await until(() => node.connect(beam.name))
  await until(() => node.pg.getMembers('work', 'lasting').length === 2)
  await beam.until(`lists:sort(pg:get_members(work, lasting)) =:= lists:sort([P, Ours])`, { Ours: ours.pid })
  expect(node.pg.getMembers('work', 'lasting')).toEqual([ours.pid, theirs])
  await until(() => node.global.whereis('theirs')?.equals(theirs))
  await beam.until('global:whereis_name(ours) =:= Ours')
  await node.global.sync()
  expect(await beam.evalText('global:sync()')).toBe('ok')
  expect(scope.alive).toBe(true)
  expect(await beam.evalText('{whereis(work) =:= Scope, whereis(global_name_server) =:= Names}')).toBe(
    '{true,true}',
  )
  expect(beam.log().filter((line) => /overlapping|unexpected|out of sync|crash|error/i.test(line))).toEqual(
    [],
  )
})
