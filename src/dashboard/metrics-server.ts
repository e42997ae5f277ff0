/** Serves metrics to Prometheus: `GET /metrics` over HTTP, nothing else. */
import { createServer, type Server } from 'node:http'
import { isIP } from 'node:net'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { ArgumentError } from '../errors.js'
import type { Metrics } from './metrics.js'

export class MetricsServer implements AsyncDisposable {
  readonly #server: Server

  /** @throws ArgumentError `BAD_OPTION` when the address cannot be listened on */
  static async listen(metrics: Metrics, address: { host: string; port: number }): Promise<MetricsServer> {
    const server = createServer((request, response) => {
      const path = (request.url ?? '').split('?')[0]
      if (path !== '/metrics' || (request.method !== 'GET' && request.method !== 'HEAD')) {
        response.writeHead(path === '/metrics' ? 405 : 404).end()
        return
      }
      metrics.text().then(
        (text) => response.writeHead(200, { 'Content-Type': metrics.contentType }).end(text),
        (error: unknown) => response.writeHead(500).end(String(error)),
      )
    })
    try {
      server.listen(address)
      await once(server, 'listening')
    } catch (cause) {
      throw new ArgumentError('BAD_OPTION', `cannot serve metrics on ${address.host}:${address.port}`, {
        cause,
      })
    }
    return new MetricsServer(server)
  }

  private constructor(server: Server) {
    this.#server = server
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  get url(): string {
    const { address, port } = this.#server.address() as AddressInfo
    return `http://${isIP(address) === 6 ? `[${address}]` : address}:${port}/metrics`
  }

  async close(): Promise<void> {
    this.#server.close()
    this.#server.closeAllConnections()
    await once(this.#server, 'close')
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
