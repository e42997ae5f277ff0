/** `beampeer epmd`: an EPMD in the foreground. */
import { EpmdServer } from '../index.js'
import { log } from './log.js'
import { untilInterrupted } from './signals.js'

/** OTP's daemon counts whole seconds, and closes once more than it was told have passed: who pauses for as long is served. */
const PACKET_GRACE_MS = 1_000

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
    ...(options.packetTimeout !== undefined && {
      packetTimeoutMs: options.packetTimeout + PACKET_GRACE_MS,
    }),
    ...(options.relaxedCommandCheck && { relaxedCommandCheck: true }),
    ...(options.delayWrite !== undefined && { delayWriteMs: options.delayWrite }),
    logger: log,
  })
  console.log(`ready ${server.port}`)
  // It also ends when a client may and does kill it, as OTP's does.
  await Promise.race([interrupted, server.closed])
  await server.close()
}
