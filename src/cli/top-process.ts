/** One process in `beampeer top`, as lines of text. On wide terminals the stack stands beside the figures. */
import type { NodeStatus, ProcessDetail } from '../dashboard/samples.js'
import * as units from '../dashboard/units.js'
import type { Line } from './top-view.js'

/** A process that was opened, as far as it has been read. */
export interface OpenProcess {
  readonly pid: string
  /** Undefined until the first reading. */
  readonly detail: ProcessDetail | undefined
  /** When it was read, milliseconds since 1970. */
  readonly at: number
  /** Per second, between the last two readings. */
  readonly reductionsRate: number | undefined
  /** It has ended: what is shown is the last of it. */
  readonly gone: boolean
  /** Read when it was asked for, as the state is; with when that was. */
  readonly dictionary: OnDemand<NonNullable<ProcessDetail['dictionary']>>
  readonly state: OnDemand<string>
  /** Lines that are scrolled out at the top. */
  readonly scroll: number
}

type OnDemand<Value> = undefined | 'reading' | { readonly at: number; readonly value: Value }

type Section = readonly [label: string, lines: readonly string[]]

const LABEL_WIDTH = 14
/** Width of the screen from which the stack stands beside the figures. */
const WIDE = 140
const GAP = 2

/** The lines that stay, and those that scroll. */
export function openProcessLines(
  process: OpenProcess,
  status: NodeStatus | undefined,
  paused: boolean,
  width: number,
): { readonly head: Line[]; readonly body: Line[] } {
  const { detail, pid } = process
  const name = detail?.registeredName
  const title = `beampeer top   ${status?.node ?? ''}   ${pid}${name === undefined ? '' : ` ${name}`}${paused ? '   paused' : ''}`
  const head: Line[] = [{ text: title, style: 'title' }, standing(process, status)]
  if (detail === undefined) return { head, body: [] }
  const facts = [...figures(process, detail), ...calls(detail)]
  const stack: Section = ['STACK', detail.stackTrace]
  const related = relations(detail)
  const asked: Section[] = [
    ['DICTIONARY', dictionaryLines(process)],
    ['STATE', stateLines(process)],
  ]
  if (width < WIDE) return { head, body: sections([...facts, stack, ...related, ...asked], width) }
  const half = Math.floor((width - GAP) / 2)
  const left = sections([...facts, ...related], half)
  const right = sections([stack], width - half - GAP)
  const both = Array.from({ length: Math.max(left.length, right.length) }, (_, at): Line => {
    const text = `${(left[at]?.text ?? '').padEnd(half + GAP)}${right[at]?.text ?? ''}`
    return { text, style: 'plain' }
  })
  return { head, body: [...both, ...sections(asked, width)] }
}

function standing({ detail, at, gone }: OpenProcess, status: NodeStatus | undefined): Line {
  if (status?.status !== 'up')
    return { text: `${status?.status ?? 'down'}: ${status?.error ?? status?.reason ?? ''}`, style: 'bad' }
  if (gone)
    return {
      text: detail === undefined ? 'there is no such process' : 'it has ended; its last figures:',
      style: 'bad',
    }
  if (detail === undefined) return { text: 'reading…', style: 'dim' }
  const { status: doing, priority, trapExit } = detail
  return { text: `${doing}   priority ${priority}   trap_exit ${trapExit}   at ${time(at)}`, style: 'plain' }
}

function figures({ reductionsRate }: OpenProcess, detail: ProcessDetail): Section[] {
  const { memory, heapBytes, totalHeapBytes, stackBytes, reductions, messageQueueLen } = detail
  const heap = `heap ${units.bytes(heapBytes)} of ${units.bytes(totalHeapBytes)}, stack ${units.bytes(stackBytes)}`
  const rate = reductionsRate === undefined ? '' : `   ${units.short(reductionsRate)}/s`
  return [
    ['MEMORY', [`${units.bytes(memory)}   ${heap}`]],
    ['REDUCTIONS', [`${units.short(reductions)}${rate}`]],
    ['QUEUE', [messageQueueLen === 1 ? '1 message' : `${messageQueueLen} messages`]],
  ]
}

function calls({ initialCall, currentFunction }: ProcessDetail): Section[] {
  return [
    ['INITIAL CALL', [initialCall ?? '-']],
    ['CURRENT', [currentFunction ?? '-']],
  ]
}

function relations({ groupLeader, links, monitors, monitoredBy }: ProcessDetail): Section[] {
  const listed = (all: readonly string[]) => (all.length === 0 ? ['none'] : [all.join('  ')])
  return [
    ['GROUP LEADER', [groupLeader]],
    ['LINKS', listed(links)],
    ['MONITORS', listed(monitors)],
    ['MONITORED BY', listed(monitoredBy)],
  ]
}

function dictionaryLines({ dictionary }: OpenProcess): string[] {
  if (dictionary === undefined) return ['d reads it']
  if (dictionary === 'reading') return ['reading…']
  const { at, value } = dictionary
  return [
    `at ${time(at)}${value.length === 0 ? ': empty' : ''}`,
    ...value.map(({ key, value }) => `${key} = ${value}`),
  ]
}

function stateLines({ state }: OpenProcess): string[] {
  if (state === undefined) return ['s asks the process for it (sys:get_state/2)']
  if (state === 'reading') return ['asking the process…']
  return [`at ${time(state.at)}`, state.value]
}

/** The label, and beside it the text in as many lines as it needs. */
function sections(all: readonly Section[], width: number): Line[] {
  const room = Math.max(1, width - LABEL_WIDTH)
  return all.flatMap(([label, texts]) =>
    texts
      .flatMap((text) => wrapped(text, room))
      .map((text, at): Line => ({
        text: `${(at === 0 ? label : '').padEnd(LABEL_WIDTH)}${text}`,
        style: 'plain',
      })),
  )
}

/** Broken at spaces and after commas where there are some, else anywhere. */
function wrapped(text: string, width: number): string[] {
  const lines: string[] = []
  let rest = text
  while (rest.length > width) {
    const seam = Math.max(rest.lastIndexOf(' ', width), rest.lastIndexOf(',', width - 1) + 1)
    const end = seam > width / 2 ? seam : width
    lines.push(rest.slice(0, end).trimEnd())
    rest = rest.slice(end).trimStart()
  }
  return [...lines, rest]
}

function time(at: number): string {
  return new Date(at).toTimeString().slice(0, 8)
}
