/** `beampeer epmd`: an EPMD in the foreground. */
import { EpmdServer } from '../index.js'
import { log } from './log.js'
import { untilInterrupted } from './signals.js'

export interface EpmdCommandOptions {
  port?: number
  address?: string[]
  /** Milliseconds. */
  packetTimeout?: number
  relaxedCommandCheck?: true
  /** Milliseconds. */
  delayWrite?: number
}

export async function epmdCommand(options: EpmdCommandOptions): Promise<void> {
  const interrupted = untilInterrupted()
  const server = await EpmdServer.listen({
    ...(options.port !== undefined && { port: options.port }),
    ...(options.address && { addresses: options.address }),
    ...(options.packetTimeout !== undefined && { packetTimeoutMs: options.packetTimeout }),
    ...(options.relaxedCommandCheck && { relaxedCommandCheck: true }),
    ...(options.delayWrite !== undefined && { delayWriteMs: options.delayWrite }),
    logger: log,
  })
  console.log(`ready ${server.port}`)
  // It also ends when a client may and does kill it, as OTP's does.
  await Promise.race([interrupted, server.closed])
  await server.close()
}
