/**
 * What `io_lib_pretty` asks before it breaks a line: whether a part fits where it is, and how far elements may stand
 * in behind a tag. Names as in pretty.ts.
 */
import type { Container, Part } from './pretty-measure.js'

export interface Geometry {
  lineLength: number
  /** Most characters in a line without its indentation: the length of the whole term on one line. */
  maxWidth: number
}

/** Whether a part stays whole on the rest of a line. */
export function fits(
  part: Part,
  column: number,
  closing: number,
  width: number,
  { lineLength, maxWidth }: Geometry,
): boolean {
  return part.length < lineLength - column - closing && part.length + width + closing <= maxWidth
}

/** Whether a further element goes on the line, a separator before it. `closing` is 0 where more elements follow. */
export function fitsBehind(
  part: Part,
  column: number,
  closing: number,
  width: number,
  geometry: Geometry,
): boolean {
  const length = part.length + 1
  const after = closing === 0 ? 1 : closing
  return (
    isSimple(part) &&
    (closing === 0
      ? length + 1 < geometry.lineLength - column
      : length < geometry.lineLength - column - closing) &&
    width + length + after <= geometry.maxWidth
  )
}

/** Parts that may share a line with others: plain text, and pairs of it. */
export function isSimple(part: Part): boolean {
  return (
    part.kind === 'text' || (part.kind === 'pair' && part.key.kind === 'text' && part.value.kind === 'text')
  )
}

/** Brackets behind element `index`: none if another element follows it, else those of its container and one more. */
export function closingBehind(container: Container, index: number, closing: number): number {
  return index + 1 < container.parts.length ? 0 : closing + 1
}

/** Whether elements behind tags can stand `indent` columns in (-1: the tag's width) with half the line left for them. */
export function indentationFits(
  whole: Part,
  startColumn: number,
  geometry: Geometry,
  indent: number,
): boolean {
  const { lineLength, maxWidth } = geometry
  const half = Math.floor(lineLength / 2)
  const valueIndent = indent > 0 ? indent : 4
  const tasks: { part: Part; column: number; closing: number; width: number }[] = []

  /** The width that an element takes, its parts left as tasks. */
  const element = (part: Part, column: number, closing: number, width: number): number => {
    const whole = fits(part, column, closing, width, geometry)
    if (part.kind === 'pair') {
      if (whole) return isSimple(part) ? part.length : lineLength
      tasks.push({ part: part.key, column, closing, width })
      tasks.push({ part: part.value, column: column + valueIndent, closing, width: 0 })
      return lineLength
    }
    if (whole && isSimple(part)) return part.length
    tasks.push({ part, column, closing, width })
    return lineLength
  }

  const elements = (
    rest: Container,
    from: number,
    firstColumn: number,
    start: number,
    closing: number,
    before: number,
  ): void => {
    let column = start
    let width = before
    for (let index = from; index < rest.parts.length; index++) {
      const part = rest.parts[index] as Part
      const behind = closingBehind(rest, index, closing)
      if (fitsBehind(part, column, behind, width, geometry)) {
        column += part.length + 1
        width += part.length + 1
      } else {
        const taken = element(part, firstColumn, behind, 0)
        column = firstColumn + taken
        width = taken
      }
    }
    const { tail } = rest
    if (tail === undefined || tail.kind === 'dots' || fitsBehind(tail, column, closing + 1, width, geometry))
      return
    tasks.push({ part: tail, column, closing: closing + 1, width: 0 })
  }

  const first = (rest: Container, index: number, column: number, closing: number, width: number): void => {
    const part = rest.parts[index]
    if (part === undefined) return
    const taken = element(part, column, closingBehind(rest, index, closing), width)
    elements(rest, index + 1, column, column + taken, closing, width + taken)
  }

  tasks.push({ part: whole, column: startColumn, closing: 0, width: 0 })
  for (let task = tasks.pop(); task !== undefined; task = tasks.pop()) {
    const { part, column, closing, width } = task
    if (fits(part, column, closing, width, geometry)) continue
    if (part.kind === 'list' || part.kind === 'tuple') first(part, 0, column + 1, closing, width + 1)
    else if (part.kind === 'map') first(part, 0, column + 2, closing, width + 2)
    else if (part.kind === 'tagged') {
      const tagLength = (part.parts[0] as Part).length
      const behindTag = column + tagLength + 2
      if (indent > 0 && tagLength + 2 > indent) {
        const indented = column + indent
        if (maxWidth + indented > lineLength && indented > half) return false
        elements(part, 1, indented, behindTag, closing, width + 1 + tagLength)
      } else {
        if (maxWidth + behindTag >= lineLength && behindTag >= half) return false
        first(part, 1, behindTag, closing, width + tagLength + 2)
      }
    }
  }
  return true
}
