// What a terminal shows, as SVG: text with the escape sequences for colours and weight (SGR, ECMA-48 8.3.117) that
// `tmux capture-pane -e` writes.

const CELL = { width: 8.4, height: 17 }
const MARGIN = 12
const FOREGROUND = '#d4d4d4'
const BACKGROUND = '#1e1e1e'
/** The 16 colours, the bright ones last. */
const COLOURS = (
  '#1e1e1e #f14c4c #23d18b #e5c07b #3b8eea #d670d6 #29b8db #d4d4d4 ' +
  '#666666 #ff6b6b #5af0a8 #f5f543 #6cb6ff #f0a0f0 #6fdcf0 #ffffff'
).split(' ')

/** @returns the SVG of `width` × `height` cells */
export function svg(text, width, height) {
  style = {}
  const size = { width: width * CELL.width + 2 * MARGIN, height: height * CELL.height + 2 * MARGIN }
  const shapes = text
    .split('\n')
    .slice(0, height)
    .flatMap((line, row) => lineShapes(line, row))
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.width} ${size.height}" width="${size.width}" height="${size.height}">`,
    `<rect width="100%" height="100%" rx="6" fill="${BACKGROUND}"/>`,
    `<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="14">`,
    ...shapes,
    '</g>',
    '</svg>',
    '',
  ].join('\n')
}

/** It goes on from line to line. */
let style = {}

function lineShapes(line, row) {
  const shapes = []
  let column = 0
  // eslint-disable-next-line no-control-regex
  for (const part of line.split(/(\u001b\[[\d;]*m)/)) {
    // eslint-disable-next-line no-control-regex
    const codes = /^\u001b\[([\d;]*)m$/.exec(part)
    if (codes !== null) {
      for (const code of codes[1].split(';')) style = changed(style, Number(code))
      continue
    }
    if (part === '') continue
    shapes.push(...textShapes(part, row, column))
    column += [...part].length
  }
  return shapes
}

function changed(before, code) {
  if (code === 0) return {}
  if (code === 1) return { ...before, bold: true }
  if (code === 2) return { ...before, dim: true }
  if (code === 7) return { ...before, inverse: true }
  if (code === 22) return { ...before, bold: false, dim: false }
  if (code === 27) return { ...before, inverse: false }
  if (code >= 30 && code <= 37) return { ...before, fg: COLOURS[code - 30] }
  if (code >= 40 && code <= 47) return { ...before, bg: COLOURS[code - 40] }
  if (code >= 90 && code <= 97) return { ...before, fg: COLOURS[code - 82] }
  if (code >= 100 && code <= 107) return { ...before, bg: COLOURS[code - 92] }
  if (code === 39) return { ...before, fg: undefined }
  if (code === 49) return { ...before, bg: undefined }
  return before
}

function textShapes(text, row, column) {
  let { fg = FOREGROUND, bg } = style
  if (style.inverse) [fg, bg] = [bg ?? BACKGROUND, fg]
  const x = MARGIN + column * CELL.width
  const y = MARGIN + row * CELL.height
  const width = [...text].length * CELL.width
  const shapes = []
  if (bg !== undefined)
    shapes.push(
      `<rect x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${CELL.height}" fill="${bg}"/>`,
    )
  if (text.trim() !== '') {
    const weight = style.bold ? ' font-weight="bold"' : ''
    const opacity = style.dim ? ' opacity="0.6"' : ''
    // Its length keeps the columns whatever the font.
    const length = ` textLength="${round(width)}" lengthAdjust="spacingAndGlyphs"`
    shapes.push(
      `<text x="${round(x)}" y="${round(y + 13)}" fill="${fg}"${weight}${opacity}${length}>${escaped(text)}</text>`,
    )
  }
  return shapes
}

function round(value) {
  return Math.round(value * 10) / 10
}

function escaped(text) {
  // XML joins common spaces.
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll(' ', '\u00a0')
}
