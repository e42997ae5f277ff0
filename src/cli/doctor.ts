/** `beampeer doctor`: which layer on the way to a node fails, and how to mend it. */
import { examine } from '../dashboard/doctor.js'
import type { CookieOptions } from './cookie.js'
import { writeLine } from './output.js'
import { waitingFor } from './progress.js'
import { jsonText, visible } from './visible.js'

export interface DoctorCommandOptions extends CookieOptions {
  name?: string
  /** Port of the EPMD. */
  epmdPort?: number
  /** Milliseconds. */
  netTicktime?: number
  /** Milliseconds. */
  timeout?: number
  json?: true
}

const MARKS = { ok: 'ok     ', warning: 'warning', failed: 'FAILED ' } as const

/** Exit status 0 when all layers are well, else 1. */
export async function doctorCommand(nodeName: string, options: DoctorCommandOptions): Promise<void> {
  const { timeout, netTicktime, json, ...rest } = options
  const steps = []
  let waiting = waitingFor('looking')
  for await (const step of examine(nodeName, {
    ...rest,
    ...(timeout !== undefined && { timeoutMs: timeout }),
    ...(netTicktime !== undefined && { netTicktime: netTicktime / 1_000 }),
  })) {
    waiting[Symbol.dispose]()
    steps.push(step)
    if (step.status === 'failed') process.exitCode = 1
    if (json !== true) {
      writeLine(`${MARKS[step.status]} ${step.layer.padEnd(12)} ${visible(step.text)}`)
      if (step.mend !== undefined) writeLine(`        ${' '.repeat(12)} → ${visible(step.mend)}`)
    }
    waiting = waitingFor('looking further')
  }
  waiting[Symbol.dispose]()
  if (json === true) {
    const failed = steps.find(({ status }) => status === 'failed')
    writeLine(jsonText({ node: nodeName, ok: failed === undefined, finding: failed?.finding, steps }, 2))
  }
}
