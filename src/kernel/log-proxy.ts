/**
 * The process `logger_proxy`: log events of other nodes (OTP's logger_proxy.erl). A BEAM sends what a process logs to the
 * node of the process's group leader, and by default shows it nowhere else: so what a function logs that this program
 * calls there comes here, and what the processes log that it starts.
 *
 *     {log, Level, Format, Args, Metadata}     {log, Level, Report | Chardata, Metadata}
 *
 * They go to the log of this node. A report's own way to show it (`report_cb`) is code of the other node's and is not run.
 */
import { atom, atomName } from '../etf/atom.js'
import { asText } from '../etf/as-text.js'
import { formatIo } from '../etf/format.js'
import { Pid } from '../etf/identifiers.js'
import { ErlMap } from '../etf/map.js'
import { print } from '../etf/print.js'
import type { Term } from '../etf/terms.js'
import { isTuple, Tuple, tuple } from '../etf/tuple.js'
import type { Limits } from '../limits.js'
import type { Host } from '../process/host.js'
import type { Process } from '../process/process.js'
import { answerSystemMessage } from '../process/system-messages.js'
import type { Logger } from './kernel.js'

/** The log's method for each level of OTP's. */
const METHODS: Readonly<Record<string, keyof Logger>> = {
  emergency: 'error',
  alert: 'error',
  critical: 'error',
  error: 'error',
  warning: 'warn',
  notice: 'info',
  info: 'info',
  debug: 'debug',
}

/** Starts `logger_proxy`. */
export function startLogProxy(
  host: Host & { readonly limits: Pick<Limits, 'maxFormatCharacters'> },
  logger: Logger,
): Process {
  const { maxFormatCharacters } = host.limits
  const process: Process = host.spawnHandler(
    {
      ignoresExits: true,
      message(message, from) {
        if (answerSystemMessage(host, process, 'logger_olp', message)) return
        if (!(message instanceof Tuple) || message.tag !== 'log') return
        const [, level, ...event] = message.elements as readonly Term[]
        const name = atomName(level) ?? ''
        const method = Object.hasOwn(METHODS, name) ? METHODS[name] : undefined
        const metadata = event.pop()
        if (method === undefined || !(metadata instanceof ErlMap)) return
        if (event.length !== 1 && event.length !== 2) return
        const pid = metadata.get(atom('pid') as Term)
        const sender = pid instanceof Pid ? pid : from
        const where = sender === undefined ? '' : ` ${sender.toString()} of ${sender.node.name}`
        const text = event.length === 2 ? formatted(event) : shown(event[0] as Term)
        logger[method](`log of${where}: ${text.trimEnd()}`)
      },
    },
    { name: 'logger_proxy' },
  )

  /** As OTP, a format that its arguments do not fit is shown with them. */
  function formatted([format, args]: readonly Term[]): string {
    const text = atomName(format) ?? asText(format as Term)
    try {
      if (text !== undefined && Array.isArray(args))
        return formatIo(text, args as readonly Term[], { limits: { maxFormatCharacters } })
    } catch {
      // Shown below.
    }
    return `FORMAT ERROR: ${printed(tuple(format, args) as Term)}`
  }

  /** Text, or a report: those that error_logger makes of a format and its arguments, and any other. */
  function shown(event: Term): string {
    const text = asText(event)
    if (text !== undefined) return text
    if (!(event instanceof ErlMap)) return printed(event)
    const field = (name: string): Term | undefined => event.get(atom(name) as Term)
    if (!isTuple(field('label'), 'error_logger', 2)) return printed(event)
    const format = field('format')
    return format === undefined ? printed(field('report') ?? event) : formatted([format, field('args') ?? []])
  }

  function printed(term: Term): string {
    return print(term, { maxCharacters: maxFormatCharacters })
  }

  return process
}
