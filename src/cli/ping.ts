/** `beampeer ping`: `net_adm:ping/1`, with the reason for a pang. */
import { BeampeerError } from '../errors.js'
import { connectWithin } from './connect.js'
import type { CookieOptions } from './cookie.js'
import { writeLine } from './output.js'
import { fail } from './report.js'
import { stopwatch } from './stopwatch.js'
import { withToolNode } from './tool-node.js'
import { jsonText } from './visible.js'

export interface PingCommandOptions extends CookieOptions {
  /** Milliseconds. */
  timeout?: number
  json?: true
}

export async function pingCommand(nodeName: string, options: PingCommandOptions): Promise<void> {
  await withToolNode(options, async (node) => {
    const elapsed = stopwatch()
    let answer: 'pong' | 'pang' = 'pang'
    let reason: unknown
    try {
      // A connection is what ping asks for; making it first tells why there is none.
      const timeoutMs = await connectWithin(node, nodeName, options.timeout)
      answer = await node.ping(
        nodeName,
        timeoutMs === undefined ? {} : { signal: AbortSignal.timeout(timeoutMs) },
      )
    } catch (error) {
      reason = error
    }
    if (answer !== 'pong') process.exitCode = 1
    if (options.json === true) {
      const told =
        reason instanceof BeampeerError ? { code: reason.code, message: reason.message } : undefined
      const elapsedMs = Math.round(elapsed())
      writeLine(jsonText({ node: nodeName, answer, elapsedMs, ...(told && { error: told }) }))
      if (reason === undefined || told !== undefined) return
    } else writeLine(answer)
    if (reason !== undefined) fail(reason)
  })
}
