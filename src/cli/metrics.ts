/** `--metrics HOST:PORT`: what is loaded for it is loaded only then. */
import type { MetricsOptions, MetricsServer } from '../dashboard/index.js'
import { log } from './log.js'

/** Serves metrics to Prometheus, and says where. */
export async function serveMetrics(
  options: MetricsOptions,
  where: { host: string; port: number },
): Promise<MetricsServer> {
  const { Metrics, MetricsServer } = await import('../dashboard/index.js')
  const server = await MetricsServer.listen(new Metrics(options), where)
  log.info(`metrics on ${server.url}`)
  return server
}
