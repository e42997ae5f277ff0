/** The error of text that is no term, and places in a text. */
import { EtfError } from '../errors.js'

/** A place in a text. */
export interface Position {
  /** From 1. */
  readonly line: number
  /** From 1, in characters (code points). */
  readonly column: number
  /** From 0, in UTF-16 code units. */
  readonly offset: number
}

/** Text that is no Erlang term: `ETF_PARSE_SYNTAX`; one past a limit: `ETF_PARSE_LIMIT`. */
export class EtfParseError extends EtfError {
  /** Line of the error, from 1. */
  readonly line: number
  /** Column of the error, from 1, in characters (code points). */
  readonly column: number

  constructor(message: string, at: Position, code = 'ETF_PARSE_SYNTAX') {
    super(code, `${at.line}:${at.column}: ${message}`, { offset: at.offset })
    this.line = at.line
    this.column = at.column
  }
}
