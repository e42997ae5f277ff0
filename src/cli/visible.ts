/**
 * What other programs say of themselves (names above all), as it is written: control characters would move the cursor of a
 * terminal, and line ends forge lines of ours.
 */

/** Those of ASCII and Latin-1, Unicode's line ends, and what turns the direction of text. */
// eslint-disable-next-line no-control-regex -- the control characters are what is looked for
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g

/** One line: `\x{1b}` for a control character, as in an atom of Erlang. */
export function visible(text: string): string {
  return text.replace(CONTROL, (character) => `\\x{${character.charCodeAt(0).toString(16)}}`)
}

/** As many lines as the text has, each after the first behind `indent`: none of them looks like one of ours. */
export function visibleLines(text: string, indent = '    '): string {
  return text.split('\n').map(visible).join(`\n${indent}`)
}

/** JSON, without the control characters beyond ASCII that `JSON.stringify` leaves as they are. */
export function jsonText(value: unknown, indent?: number): string {
  // The line ends of an indented text are ASCII's, which are escaped already where they are of a string.
  return JSON.stringify(value, null, indent).replace(CONTROL, (character) =>
    character < '\u007f' ? character : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
