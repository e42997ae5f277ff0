/**
 * Terms over several lines, as `~p` lays them out: the layout of `io_lib_pretty` of OTP 27, line for line.
 *
 *     #{config =>
 *           [{port,4369},
 *            {names,["a","b"]}]}
 *
 * A part that fits on the rest of its line stays on one; else its elements go one below the other, several simple ones
 * to a line. Elements behind a tag are indented by the tag's width where half the line is left for them, else by 4,
 * else by 1. Both walks run on a stack of tasks instead of recursion.
 *
 * Names used throughout, as in OTP: `column` is where a part starts (from 1), `closing` the number of brackets that
 * must fit behind it on its line, `width` the characters that its line already has, not counting indentation.
 */
import { EtfError } from '../errors.js'
import { closingBehind, fits, fitsBehind, indentationFits, isSimple, type Geometry } from './pretty-fit.js'
import { measure, type Container, type Part } from './pretty-measure.js'
import { write, type WriteOptions } from './write.js'
import { plainTerm } from './text-terms.js'
import { ErlMap } from './map.js'
import { Tuple } from './tuple.js'
import { BitString, ImproperList } from './values.js'

export interface LayoutOptions extends WriteOptions {
  /** Column of the first character, from 1. */
  column: number
  /** Characters in a line; 0 for one line without end. */
  lineLength: number
  /** Longest result. Past it `ETF_FORMAT_LIMIT`: indentation may make text quadratic in a term's depth. */
  maxCharacters: number
}

/** The term as `io_lib:format("~p")` lays it out. @throws EtfError `ETF_NOT_A_TERM`, `ETF_FORMAT_LIMIT` */
export function pretty(term: unknown, options: LayoutOptions): string {
  if (options.depth === 0) return '...'
  const value = plainTerm(term)
  if (!isLaidOut(value)) return write(value, options)
  const part = measure(value, options)
  const column = Math.max(options.column, 1)
  const { lineLength } = options
  if (lineLength === 0 || part.length < lineLength - column) return writePart(part)
  const geometry = { lineLength, maxWidth: part.length }
  const tagIndent = [-1, 4].find((indent) => indentationFits(part, column, geometry, indent)) ?? 1
  return new Layout(geometry, tagIndent, options.maxCharacters).run(part, column)
}

function isLaidOut(value: unknown): boolean {
  return (
    Array.isArray(value) ||
    value instanceof Tuple ||
    value instanceof ErlMap ||
    value instanceof ImproperList ||
    value instanceof Uint8Array ||
    value instanceof BitString
  )
}

/** A part on one line. */
export function writePart(part: Part): string {
  const stack: (Part | string)[] = [part]
  let out = ''
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    if (typeof top === 'string') out += top
    else if (top.kind === 'text') out += top.text
    else if (top.kind === 'bytes') out += `<<${top.chunks.join(',')}>>`
    else if (top.kind === 'dots') out += '...'
    else if (top.kind === 'pair') stack.push(top.value, ' => ', top.key)
    else {
      const [open, close] = brackets(top)
      stack.push(close)
      if (top.tail !== undefined) stack.push(top.tail)
      if (top.tail !== undefined && top.parts.length > 0) stack.push(top.kind === 'list' ? '|' : ',')
      for (let i = top.parts.length - 1; i >= 0; i--) {
        stack.push(top.parts[i] as Part)
        if (i > 0) stack.push(',')
      }
      stack.push(open)
    }
  }
  return out
}

function brackets(part: Container): [open: string, close: string] {
  return part.kind === 'list' ? ['[', ']'] : part.kind === 'map' ? ['#{', '}'] : ['{', '}']
}

interface PartTask {
  part: Part
  column: number
  indent: number
  closing: number
  width: number
}

/** The elements of a container from `index` on. */
interface RestTask {
  rest: Container
  index: number
  /** Where elements start that begin a line. */
  firstColumn: number
  column: number
  indent: number
  closing: number
  width: number
}

type Task = string | PartTask | RestTask

class Layout {
  readonly #geometry: Geometry
  /** Indentation behind tags: -1 for the tag's width. */
  readonly #tagIndent: number
  readonly #maxCharacters: number
  readonly #tasks: Task[] = []
  #out = ''

  constructor(geometry: Geometry, tagIndent: number, maxCharacters: number) {
    this.#geometry = geometry
    this.#tagIndent = tagIndent
    this.#maxCharacters = maxCharacters
  }

  run(part: Part, column: number): string {
    this.#tasks.push({ part, column, indent: column - 1, closing: 0, width: 0 })
    for (let task = this.#tasks.pop(); task !== undefined; task = this.#tasks.pop()) {
      if (typeof task === 'string') this.#out += task
      else if ('rest' in task) this.#elements(task)
      else this.#part(task.part, task.column, task.indent, task.closing, task.width)
      if (this.#out.length > this.#maxCharacters) {
        throw tooLong(this.#maxCharacters)
      }
    }
    return this.#out
  }

  #newline(indent: number): void {
    if (indent > this.#maxCharacters) throw tooLong(this.#maxCharacters)
    this.#out += `\n${' '.repeat(indent)}`
  }

  #part(part: Part, column: number, indent: number, closing: number, width: number): void {
    if (part.kind === 'text' || part.kind === 'dots' || fits(part, column, closing, width, this.#geometry)) {
      this.#out += writePart(part)
      return
    }
    switch (part.kind) {
      case 'bytes':
        this.#bytes(part.chunks, column + 2, indent + 2, closing, width)
        return
      case 'list':
      case 'tuple':
        this.#open(part)
        this.#first(part, 0, column + 1, indent + 1, closing, width + 1)
        return
      case 'tagged': {
        this.#open(part)
        const tag = part.parts[0] as Part
        this.#out += writePart(tag)
        const tagWidth = tag.length + 2
        if (this.#tagIndent > 0 && tagWidth > this.#tagIndent) {
          const firstColumn = column + this.#tagIndent
          const task = { firstColumn, column: column + tagWidth, indent: indent + this.#tagIndent }
          this.#elements({ rest: part, index: 1, ...task, closing, width: width + 1 + tag.length })
        } else {
          this.#out += ','
          this.#first(part, 1, column + tagWidth, indent + tagWidth, closing, width + tag.length + 2)
        }
        return
      }
      case 'map': {
        this.#open(part)
        this.#first(part, 0, column + 2, indent + 2, closing, width + 1)
        return
      }
      case 'pair':
        this.#tasks.push({
          part: part.value,
          column: column + this.#valueIndent,
          indent: indent + this.#valueIndent,
          closing,
          width: 0,
        })
        this.#tasks.push(` =>\n${' '.repeat(indent + this.#valueIndent)}`)
        this.#tasks.push({ part: part.key, column, indent, closing, width })
    }
  }

  get #valueIndent(): number {
    return this.#tagIndent > 0 ? this.#tagIndent : 4
  }

  #open(part: Container): void {
    const [open, close] = brackets(part)
    this.#out += open
    this.#tasks.push(close)
  }

  /** Lays out the element at `index`, which begins at `column`, and leaves a task for those behind it. */
  #first(
    rest: Container,
    index: number,
    column: number,
    indent: number,
    closing: number,
    width: number,
  ): void {
    const part = rest.parts[index]
    if (part === undefined) {
      this.#out += '...'
      return
    }
    const taken = this.#element(part, column, indent, closingBehind(rest, index, closing), width, {
      rest,
      index: index + 1,
      firstColumn: column,
      column,
      indent,
      closing,
      width,
    })
    // A map's elements do not count what stood before them, as OTP has it.
    if (taken !== undefined) {
      const before = rest.kind === 'map' ? 0 : width
      this.#elements({
        rest,
        index: index + 1,
        firstColumn: column,
        column: column + taken,
        indent,
        closing,
        width: before + taken,
      })
    }
  }

  /**
   * Writes an element that keeps to one line and returns its length; for another leaves tasks, that of the rest among
   * them, and returns undefined.
   */
  #element(
    part: Part,
    column: number,
    indent: number,
    closing: number,
    width: number,
    rest: RestTask,
  ): number | undefined {
    const whole = fits(part, column, closing, width, this.#geometry)
    if (whole && isSimple(part)) {
      this.#out += writePart(part)
      return part.length
    }
    // What is not simple fills its line: the next element begins another.
    const { lineLength } = this.#geometry
    const before = rest.rest.kind === 'map' ? 0 : rest.width
    this.#tasks.push({ ...rest, column: rest.firstColumn + lineLength, width: before + lineLength })
    this.#tasks.push(whole ? writePart(part) : { part, column, indent, closing, width })
    return undefined
  }

  /** The elements behind the first, each after a comma. */
  #elements(task: RestTask): void {
    const { rest, firstColumn, indent, closing } = task
    let { index, column, width } = task
    for (; index < rest.parts.length; index++) {
      const part = rest.parts[index] as Part
      const behind = closingBehind(rest, index, closing)
      this.#out += ','
      if (fitsBehind(part, column, behind, width, this.#geometry)) {
        this.#out += writePart(part)
        column += part.length + 1
        width += part.length + 1
        continue
      }
      this.#newline(indent)
      const next = { rest, index: index + 1, firstColumn, column, indent, closing, width: 0 }
      const taken = this.#element(part, firstColumn, indent, behind, 0, next)
      if (taken === undefined) return
      column = firstColumn + taken
      width = taken
    }
    this.#tail(task, column, width)
  }

  #tail({ rest, firstColumn, indent, closing }: RestTask, column: number, width: number): void {
    const { tail } = rest
    if (tail === undefined) return
    this.#out += rest.kind === 'list' ? '|' : ','
    if (tail.kind === 'dots') this.#out += '...'
    else if (fitsBehind(tail, column, closing + 1, width, this.#geometry)) this.#out += writePart(tail)
    else {
      this.#newline(indent)
      this.#tasks.push({ part: tail, column: firstColumn, indent, closing: closing + 1, width: 0 })
    }
  }

  /** Bytes as numbers, as many to a line as there is room for. */
  #bytes(chunks: readonly string[], column: number, indent: number, closing: number, width: number): void {
    const { lineLength, maxWidth } = this.#geometry
    const room = Math.max(8, Math.min(lineLength - column, maxWidth - 4 - width) - closing)
    let left = room
    this.#out += '<<'
    chunks.forEach((chunk, index) => {
      const last = index === chunks.length - 1
      const length = chunk.length + (last ? 0 : 1)
      if (length > left) {
        this.#newline(indent)
        left = room
      }
      left -= length
      this.#out += last ? chunk : `${chunk},`
    })
    this.#out += '>>'
  }
}

function tooLong(maxCharacters: number): EtfError {
  return new EtfError('ETF_FORMAT_LIMIT', `a text of more than ${maxCharacters} characters`)
}
