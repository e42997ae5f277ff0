/** A visible beampeer node between BEAMs whose releases do not go together: it says so, and cuts nobody off by itself. */
import { startBeam, until } from '../support/beam.js'
import { startNode } from '../support/nodes.js'

const silent = { debug: () => {}, info: () => {}, error: () => {} }

test('OTP 23 and 27, which refuse each other', async () => {
  const lines: string[] = []
  const quiet = ['-kernel', 'logger_level', 'none']
  const [old, recent, node] = await Promise.all([
    startBeam({ otp: 23, args: quiet }),
    startBeam({ otp: 27, args: quiet }),
    startNode({ hidden: false, logger: { ...silent, warn: (line) => lines.push(line) } }),
  ])
  expect(await recent.evalText(`net_adm:ping('${old.name}')`)).toBe('pang')
  await node.connect(old.name)
  await node.global.sync()
  expect(lines).toEqual([])
  await node.connect(recent.name)
  const line = await until(() => lines.find((each) => each.includes('refuse')))
  expect(line).toContain(`${old.name} (OTP 23)`)
  expect(line).toContain(`${recent.name} (OTP 27)`)
  // They fail to connect to each other, and global's rule against overlapping partitions parts the older from us.
  await until(() => node.nodes().join() === recent.name)
  expect(lines.filter((each) => each.includes('refuse'))).toHaveLength(1)
  await Promise.all([
    node.global.sync(),
    recent.evalText('ok = global:sync()'),
    old.evalText('ok = global:sync()'),
  ])
  expect(await recent.evalText('nodes()')).toBe(`['${node.name}']`)
  await old.until('nodes() =:= []')
})

test('so does a BEAM of OTP 25 in the same place', async () => {
  const quiet = ['-kernel', 'logger_level', 'none']
  const [old, recent, middle] = await Promise.all([
    startBeam({ otp: 23, args: quiet }),
    startBeam({ otp: 27, args: quiet }),
    startBeam({ otp: 25, args: quiet }),
  ])
  await middle.evalText(`true = net_kernel:connect_node('${old.name}'), ok = global:sync()`)
  await middle.evalText(`true = net_kernel:connect_node('${recent.name}')`)
  await middle.until(`nodes() =:= ['${recent.name}']`)
  await old.until('nodes() =:= []')
})

test('OTP 25 and 29, of which one ends the scopes of the other', async () => {
  const lines: string[] = []
  const [old, recent, node] = await Promise.all([
    startBeam({ otp: 25, args: ['-kernel', 'logger_level', 'none'] }),
    startBeam({ otp: 29 }),
    startNode({ hidden: false, logger: { ...silent, warn: (line) => lines.push(line) } }),
  ])
  await node.connect(old.name)
  await node.connect(recent.name)
  const line = await until(() => lines.find((each) => each.includes('pg scope')))
  expect(line).toContain(`${old.name} (OTP 25)`)
  expect(line).toContain(`${recent.name} (OTP 29)`)
  // Without scopes they go together, and nobody is cut off.
  await Promise.all([node.global.sync(), old.evalText('global:sync()'), recent.evalText('global:sync()')])
  await old.until(`lists:sort(nodes()) =:= lists:sort(['${recent.name}', '${node.name}'])`)
  expect(node.nodes().sort()).toEqual([old.name, recent.name].sort())
  expect(lines).toHaveLength(1)
})
