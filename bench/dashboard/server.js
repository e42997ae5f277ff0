/** The dashboard that run.js measures, in a process of its own: says what it costs when it is asked. */
import { Probe, serveDashboard } from '../../lib/dashboard/index.js'

const { nodes, cookie, epmd, record } = JSON.parse(process.argv[2])
const probe = await Probe.start(nodes, { cookie, epmd })
const dashboard = await serveDashboard(probe, { record })
process.on('message', async (wanted) => {
  if (wanted === 'link') return process.send(dashboard.newLink())
  if (wanted === 'cost') {
    const { user, system } = process.cpuUsage()
    return process.send({ cpuMs: (user + system) / 1_000, rss: process.memoryUsage.rss() })
  }
  await dashboard.close()
  await probe.stop()
  process.disconnect()
})
process.send('ready')
