/** `beampeer top` where standard output is no terminal: text, JSON, exit status. */
import { cookie, startBeam, until } from '../support/beam.js'
import { build, cli, startCli } from '../support/cli.js'
import { start } from '../support/process.js'

test('writes what is so now, as text and as JSON, and its exit status tells whether all are up', async () => {
  const beam = await startBeam()
  const env = { env: { ERL_EPMD_PORT: String(beam.epmdPort), BEAMPEER_COOKIE: cookie } }
  const text = await cli(['top', beam.name, '--once', '--processes', '--interval', '0.05'], env)
  expect(text).toMatchObject({ code: 0, stderr: '' })
  expect(text.stdout).toContain('1 of 1 nodes up')
  expect(text.stdout).toContain('code_server')
  expect(text.stdout).not.toContain('\u001b')
  const json = await cli(['top', beam.name, 'gone@127.0.0.1', '--json', '--interval', '0.05'], env)
  expect(json.code).toBe(1)
  expect(JSON.parse(json.stdout)).toMatchObject({
    nodes: [
      { node: beam.name, status: 'up', sample: { otpRelease: String(beam.release) } },
      { node: 'gone@127.0.0.1', status: 'down', reason: 'NODE_NOT_FOUND' },
    ],
  })
})

test('where standard output is no terminal events are lines of JSON; --metrics serves what is seen', async () => {
  const beam = await startBeam()
  const env = { env: { ERL_EPMD_PORT: String(beam.epmdPort), BEAMPEER_COOKIE: cookie } }
  const top = await startCli(['top', beam.name, '--interval', '0.05', '--metrics', '127.0.0.1:0'], env)
  const [, url = ''] = await top.waitForError(/^info: metrics on (http:\S+)$/m)
  const [line = ''] = await top.waitForLine(/^\{.*"nodeup".*\}$/m)
  expect(JSON.parse(line)).toMatchObject({ type: 'nodeup', node: beam.name })
  const text = await until(async () => {
    const answer = await (await fetch(url)).text()
    return answer.includes('erlang_vm_process_count') && answer
  })
  expect(text).toContain(`erlang_vm_up{node="${beam.name}"} 1`)
  beam.kill()
  await top.waitForLine(/^\{.*"nodedown".*connection_closed.*\}$/m)
  top.kill('SIGTERM')
  expect(await top.exit).toEqual({ code: 0, signal: null })
})

test('it ends when nobody reads its lines any more', async () => {
  build()
  const beam = await startBeam()
  const command = `node lib/cli/main.cjs top ${beam.name} --interval 0.05; echo "status $?" >&2`
  const shell = await start('bash', ['-c', `{ ${command}; } | { read line; echo "$line"; }`], {
    env: { ERL_EPMD_PORT: String(beam.epmdPort), BEAMPEER_COOKIE: cookie },
  })
  await shell.waitForLine(/"nodeup"/)
  beam.kill()
  await shell.waitForError(/^status 0$/m)
})
