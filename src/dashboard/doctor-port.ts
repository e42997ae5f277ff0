/** What the doctor learns of a port by connecting to it: whether it is open, and whether TLS is spoken there. */
import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'

/** Whether a TCP port can be connected to: `open`, `silent`, or the error's code. */
export function reach(host: string, port: number, timeoutMs: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host, port })
    const finish = (outcome: string) => {
      clearTimeout(timer)
      socket.destroy()
      resolve(outcome)
    }
    const timer = setTimeout(() => finish('silent'), timeoutMs)
    socket.on('connect', () => finish('open'))
    socket.on('error', (error: NodeJS.ErrnoException) =>
      finish(error.code === 'ETIMEDOUT' ? 'silent' : (error.code ?? error.message)),
    )
  })
}

/** Whether a TLS server answers: it shakes hands, or refuses with an alert, as one that wants a certificate does. */
export function speaksTls(host: string, port: number, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    // Nothing is sent and nothing believed: whose certificate it is does not matter.
    const socket = connectTls({ host, port, rejectUnauthorized: false })
    const finish = (answer: boolean) => {
      clearTimeout(timer)
      socket.destroy()
      resolve(answer)
    }
    const timer = setTimeout(() => finish(false), timeoutMs)
    socket.on('secureConnect', () => finish(true))
    socket.on('error', (error: NodeJS.ErrnoException) => finish(/ALERT/.test(error.code ?? '')))
    socket.on('close', () => finish(false))
  })
}
