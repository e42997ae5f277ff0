/** Logs of the commands: to standard error, so that standard output holds results only. */
import { writeError } from './output.js'
import { visibleLines } from './visible.js'

const line = (level: string) => (message: string) => writeError(`${level}: ${visibleLines(message)}\n`)

/** `debug` is shown only when BEAMPEER_DEBUG is set. */
export const log = {
  debug: process.env.BEAMPEER_DEBUG ? line('debug') : () => undefined,
  info: line('info'),
  warn: line('warning'),
  error: line('error'),
}
