/** What `beampeer COMMAND --help` says of values, and the status of a command line that cannot be understood. */
import { cli } from '../../support/cli.js'

test.each(['top', 'dashboard'])('%s: the default interval is told in seconds', async (command) => {
  const { stdout } = await cli([command, '--help'])
  expect(stdout).toMatch(/--interval <seconds> .*\(default: 1\)/)
})

test('dashboard of nothing, or of nodes and a recording, is a usage error', async () => {
  for (const args of [[], ['a@h', '--replay', 'x']]) {
    const { code, stderr } = await cli(['dashboard', ...args])
    expect([code, stderr]).toEqual([2, expect.stringMatching(/^error: give the nodes to watch/)])
  }
})
