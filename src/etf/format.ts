/**
 * `io_lib:format/2` of OTP 27: what `io:format/2` makes of a format and its arguments, and what a group leader serves
 * when it is asked for `{put_chars, unicode, io_lib, format, [Format, Args]}`.
 *
 *     ~F.P.PadModC     F width (- to the left, * from the arguments) · P precision · Pad character
 *                      Mod: t unicode · l no strings · k, K maps in order · C one of c s p w P W e f g b B x X + # n i ~
 *
 * `~p` breaks lines as `io_lib_pretty` does, at 80 columns unless a width says otherwise, from the column that the text
 * before it has come to. Where Erlang fails with `badarg`, this throws `ETF_FORMAT`, saying which part was wrong.
 */
import { EtfError } from '../errors.js'
import { DEFAULT_LIMITS, type Limits } from '../limits.js'
import { Atom, atomName } from './atom.js'
import { formatE, formatF, formatG, formatInteger } from './format-numbers.js'
import { charsLength, graphemeSlice } from './graphemes.js'
import { write, type WriteOptions } from './write.js'
import { pretty } from './pretty.js'
import type { Encodable } from './terms.js'
import { fromLatin1, type PrintableRange } from './text-chars.js'
import { plainTerm } from './text-terms.js'
import { readUtf8 } from './utf8.js'
import { ErlFloat, ImproperList } from './values.js'

export interface FormatOptions {
  /** Characters that `~tp` shows as text, as `erl +pc` sets them; Erlang's default is `latin1`. */
  printable?: PrintableRange
  limits?: Partial<Pick<Limits, 'maxFormatCharacters'>>
}

/** One control sequence of a format. */
interface Control {
  readonly char: string
  readonly width: number | undefined
  readonly left: boolean
  readonly precision: number | undefined
  readonly pad: string
  readonly unicode: boolean
  readonly strings: boolean
  readonly order: 'ordered' | 'reversed' | undefined
  readonly args: readonly unknown[]
  /** Where it stands in the format, for errors. */
  readonly text: string
}

/**
 * The text that `io_lib:format(Format, Args)` gives.
 * @param format text, or as Erlang allows a list of characters, an atom, or a binary (whose bytes are Latin-1)
 * @throws EtfError `ETF_FORMAT` where Erlang fails with badarg; `ETF_FORMAT_LIMIT` when the text would be too long
 */
export function formatIo(format: Encodable, args: readonly Encodable[], options: FormatOptions = {}): string {
  if (!Array.isArray(args)) throw new EtfError('ETF_FORMAT', 'the arguments of a format are a list')
  return new Formatter(options).format(formatCharacters(format), args)
}

/** The characters of a format; what is not a character in its list is text as it stands. */
function formatCharacters(format: Encodable): string[] {
  if (typeof format === 'string') return Array.from(format)
  const name = atomName(format)
  if (name !== undefined) return Array.from(name)
  const term = plainTerm(format)
  if (term instanceof Uint8Array) return Array.from(fromLatin1(term))
  if (!Array.isArray(term))
    throw new EtfError('ETF_FORMAT', 'a format is a list of characters, a binary or an atom')
  return term.map((item: unknown) => (typeof item === 'number' ? character(item) : deepText(item, false)))
}

function character(code: unknown): string {
  if (typeof code === 'number' && Number.isInteger(code) && code >= 0 && code <= 0x10ffff)
    return String.fromCodePoint(code)
  throw new EtfError('ETF_FORMAT', `${String(code)} is no character`)
}

class Formatter {
  readonly #printable: PrintableRange
  readonly #maxCharacters: number
  #out = ''
  /** Column that the text has come to, from 0: tabs go to multiples of 8. */
  #column = 0

  constructor(options: FormatOptions) {
    this.#printable = options.printable ?? 'latin1'
    this.#maxCharacters = options.limits?.maxFormatCharacters ?? DEFAULT_LIMITS.maxFormatCharacters
  }

  format(format: readonly string[], args: readonly unknown[]): string {
    const scanner = new ControlScanner(format, args)
    // All of the format is read first: an error in it shows before anything is made of it.
    const pieces = [...scanner.pieces()]
    for (const piece of pieces) this.#add(typeof piece === 'string' ? piece : this.#control(piece))
    return this.#out
  }

  #add(text: string): void {
    if (this.#out.length + text.length > this.#maxCharacters) throw this.#tooLong()
    this.#out += text
    const line = text.lastIndexOf('\n')
    if (line >= 0) this.#column = 0
    for (let i = line + 1; i < text.length; i++) {
      const code = text.charCodeAt(i)
      if (code === 0x09) this.#column = (this.#column + 8) & ~7
      else if (code < 0xdc00 || code > 0xdfff) this.#column++
    }
  }

  #tooLong(): EtfError {
    return new EtfError('ETF_FORMAT_LIMIT', `a format that makes more than ${this.#maxCharacters} characters`)
  }

  /** `count` times `char`. */
  #chars(char: string, count: number): string {
    if (count < 0) throw new EtfError('ETF_FORMAT', 'a negative number of characters')
    if (count * char.length > this.#maxCharacters) throw this.#tooLong()
    return char.repeat(count)
  }

  #control(control: Control): string {
    const [arg, second] = control.args
    const { char, precision } = control
    switch (char) {
      case '~':
        return this.#character('~', control)
      case 'n':
        if (control.left && control.width !== undefined) throw badControl(control, 'a newline has no padding')
        return this.#chars('\n', control.width ?? 1)
      case 'i':
        return ''
      case 'c':
        return this.#character(this.#codePoint(arg, control), control)
      case 's':
        return this.#string(control, arg)
      case 'w':
      case 'W':
        return this.#field(
          this.#write(arg, this.#writeOptions(control, false, depthOf(control, second))),
          control,
        )
      case 'p':
      case 'P':
        return this.#pretty(control, arg, depthOf(control, second))
      case 'e':
      case 'f':
      case 'g':
        return this.#float(control, floatOf(arg, control))
      case 'b':
      case 'B':
        return this.#field(this.#integer(control, arg, char === 'b', ''), control, false)
      case 'x':
      case 'X':
        return this.#field(
          this.#integer(control, arg, char === 'x', prefixOf(second, control)),
          control,
          false,
        )
      case '+':
      case '#':
        return this.#field(this.#integer(control, arg, char === '+', `${precision ?? 10}#`), control, false)
      default:
        throw badControl(control, 'unknown control sequence')
    }
  }

  #writeOptions(control: Control, strings: boolean, depth: number): WriteOptions & { maxCharacters: number } {
    const { unicode, order } = control
    const maxCharacters = this.#maxCharacters - this.#out.length
    return { strings, unicode, printable: this.#printable, depth, order, maxCharacters }
  }

  #write(term: unknown, options: WriteOptions & { maxCharacters: number }): string {
    const text = write(term, options)
    // It may end anywhere.
    if (text.length > options.maxCharacters) throw this.#tooLong()
    return text
  }

  #pretty(control: Control, term: unknown, depth: number): string {
    if (control.left) throw badControl(control, 'what ~p prints is not padded')
    return pretty(term, {
      ...this.#writeOptions(control, control.strings, depth),
      lineLength: control.width ?? 80,
      column: control.precision ?? this.#column + 1,
    })
  }

  #codePoint(arg: unknown, control: Control): string {
    if (!isInteger(arg)) throw badControl(control, 'the argument is a character')
    return control.unicode ? character(arg) : String.fromCharCode(Number(BigInt.asUintN(8, BigInt(arg))))
  }

  /** A character, `precision` times (else `width` times), in a field. */
  #character(char: string, control: Control): string {
    const { width, precision } = control
    if (precision === undefined) return this.#chars(char, width ?? 1)
    if (width === undefined) return this.#chars(char, precision)
    if (width < precision) throw badControl(control, 'the width is less than the precision')
    return this.#adjust(this.#chars(char, precision), width - precision, control)
  }

  #adjust(text: string, padding: number, { pad, left }: Control): string {
    const filler = this.#chars(pad, padding)
    return left ? text + filler : filler + text
  }

  /** A term's text in its field: stars where it has no room. `precision` is a bound like the width. */
  #field(text: string, control: Control, bounded = true): string {
    const precision = bounded ? control.precision : undefined
    const width = control.width ?? precision
    if (width === undefined) return text
    const length = charsLength(text)
    const room = Math.min(length, Math.min(precision ?? width, width))
    if (length > room) return this.#adjust(this.#chars('*', room), width - room, control)
    return this.#adjust(text, width - length, control)
  }

  #string(control: Control, arg: unknown): string {
    const { width, precision, unicode } = control
    const name = atomName(plainTerm(arg))
    const text = name ?? deepText(plainTerm(arg), unicode, control)
    if (!unicode && /[^\0-\xff]/.test(text)) throw badControl(control, 'a character beyond 255 needs ~ts')
    const truncate = (count: number): string => (unicode ? graphemeSlice(text, count) : text.slice(0, count))
    if (width === undefined && precision === undefined) return text
    const length = charsLength(text)
    const inField = (field: number, left: boolean): string => {
      if (length > field) return truncate(field)
      return this.#adjust(text, field - length, { ...control, left })
    }
    if (precision === undefined) return inField(width as number, control.left)
    if (precision < 0) throw badControl(control, 'a negative precision')
    if (width === undefined) return inField(precision, true)
    if (width < precision) throw badControl(control, 'the width is less than the precision')
    if (width === precision) return inField(width, control.left)
    // A text shorter than its precision is first filled up to it, behind, whatever the adjustment.
    const cut = length > precision ? truncate(precision) : text + this.#chars(control.pad, precision - length)
    return this.#adjust(cut, width - precision, control)
  }

  #float(control: Control, value: number): string {
    let precision = control.precision ?? 6
    let notation = control.char
    if (notation === 'g') {
      if (precision < 1) throw badControl(control, 'the precision is at least 1')
      ;({ notation, precision } = formatG(value, precision))
    }
    if (precision > this.#maxCharacters) throw this.#tooLong()
    if (notation === 'e') {
      if (precision < 2) throw badControl(control, 'the precision is at least 2')
      return this.#field(formatE(value, precision), { ...control, precision: undefined })
    }
    if (precision < 1) throw badControl(control, 'the precision is at least 1')
    return this.#field(formatF(value, precision), { ...control, precision: undefined })
  }

  #integer(control: Control, arg: unknown, lower: boolean, prefix: string): string {
    const base = control.precision ?? 10
    if (!isInteger(arg)) throw badControl(control, 'the argument is an integer')
    if (base < 2 || base > 36) throw badControl(control, `the base is 2 to 36, not ${base}`)
    return formatInteger(arg, base, lower, prefix)
  }
}

/** Reads a format into text and controls, each with its arguments. */
class ControlScanner {
  readonly #format: readonly string[]
  readonly #args: readonly unknown[]
  #at = 0
  #arg = 0

  constructor(format: readonly string[], args: readonly unknown[]) {
    this.#format = format
    this.#args = args
  }

  *pieces(): Generator<string | Control> {
    while (this.#at < this.#format.length) {
      const start = this.#at
      while (this.#at < this.#format.length && this.#format[this.#at] !== '~') this.#at++
      if (this.#at > start) yield this.#format.slice(start, this.#at).join('')
      if (this.#at < this.#format.length) yield this.#control()
    }
    if (this.#arg < this.#args.length) {
      throw new EtfError('ETF_FORMAT', `the format takes ${this.#arg} arguments, not ${this.#args.length}`)
    }
  }

  #control(): Control {
    const start = this.#at++
    const negative = this.#take('-')
    const width = this.#value()
    const text = (): string => this.#format.slice(start, this.#at).join('')
    if (negative && width === undefined)
      throw new EtfError('ETF_FORMAT', `no width behind the sign in ${text()}`)
    const precision = this.#take('.') ? this.#value() : undefined
    const pad = this.#take('.') ? (this.#take('*') ? character(this.#argument(text)) : this.#char(text)) : ' '
    let unicode = false
    let strings = true
    let order: Control['order']
    for (;;) {
      if (this.#take('t')) unicode = true
      else if (this.#take('l')) strings = false
      else if (this.#take('k')) order = 'ordered'
      else if (this.#take('K')) order = mapOrder(this.#argument(text))
      else break
    }
    const char = this.#char(text)
    const args: unknown[] = []
    const count = 'PWxX'.includes(char) ? 2 : '~n'.includes(char) ? 0 : 1
    for (let i = 0; i < count; i++) args.push(this.#argument(text))
    const signed = width === undefined ? undefined : negative ? -width : width
    const left = signed !== undefined && signed < 0
    return {
      char,
      width: signed === undefined ? undefined : Math.abs(signed),
      left,
      precision,
      pad,
      unicode,
      strings,
      order,
      args,
      text: text(),
    }
  }

  #take(char: string): boolean {
    if (this.#format[this.#at] !== char) return false
    this.#at++
    return true
  }

  #char(text: () => string): string {
    const char = this.#format[this.#at++]
    if (char === undefined) throw new EtfError('ETF_FORMAT', `the format ends in ${text()}`)
    return char
  }

  #argument(text: () => string): unknown {
    if (this.#arg >= this.#args.length) throw new EtfError('ETF_FORMAT', `no argument is left for ${text()}`)
    return this.#args[this.#arg++]
  }

  /** A number in the format, or the integer argument that `*` stands for. */
  #value(): number | undefined {
    if (this.#format[this.#at] === '*' && isInteger(this.#args[this.#arg])) {
      this.#at++
      return Number(this.#args[this.#arg++])
    }
    const start = this.#at
    while (/^[0-9]$/.test(this.#format[this.#at] ?? '')) this.#at++
    return this.#at === start ? undefined : Number(this.#format.slice(start, this.#at).join(''))
  }
}

function badControl(control: Control, why: string): EtfError {
  return new EtfError('ETF_FORMAT', `in ${control.text}: ${why}`)
}

function isInteger(value: unknown): value is number | bigint {
  return typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value))
}

function floatOf(arg: unknown, control: Control): number {
  if (arg instanceof ErlFloat) return arg.value
  if (typeof arg === 'number' && Number.isFinite(arg) && !Number.isInteger(arg)) return arg
  throw badControl(control, 'the argument is a float')
}

function depthOf(control: Control, depth: unknown): number {
  if (control.char === 'w' || control.char === 'p') return -1
  if (!isInteger(depth)) throw badControl(control, 'the depth is an integer')
  return Number(depth)
}

function prefixOf(prefix: unknown, control: Control): string {
  return atomName(prefix) ?? deepText(plainTerm(prefix), true, control)
}

function mapOrder(argument: unknown): Control['order'] {
  const name = argument instanceof Atom ? argument.name : undefined
  if (name === 'undefined') return undefined
  if (name === 'ordered' || name === 'reversed') return name
  throw new EtfError(
    'ETF_FORMAT',
    'the order of maps is undefined, ordered or reversed; a fun cannot be called here',
  )
}

/** A deep list of characters and binaries as text; binaries are UTF-8 where `unicode` says so and they are valid. */
function deepText(term: unknown, unicode: boolean, control?: Control): string {
  const bad = (): EtfError => {
    const what = 'the argument is no text'
    return control === undefined ? new EtfError('ETF_FORMAT', what) : badControl(control, what)
  }
  let out = ''
  const stack: unknown[] = [term]
  let top = true
  while (stack.length > 0) {
    const item = plainTerm(stack.pop())
    if (item instanceof Uint8Array) {
      out += (unicode ? readUtf8(item, 0, item.length) : undefined) ?? fromLatin1(item)
    } else if (Array.isArray(item)) for (let i = item.length - 1; i >= 0; i--) stack.push(item[i])
    else if (item instanceof ImproperList) {
      // Only a binary may end an improper list of characters.
      if (!(item.tail instanceof Uint8Array)) throw bad()
      stack.push(item.tail)
      for (let i = item.items.length - 1; i >= 0; i--) stack.push(item.items[i])
    } else if (!top && typeof item === 'number') out += character(item)
    else throw bad()
    top = false
  }
  return out
}
