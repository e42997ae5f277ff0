/** What was aimed at before the first line of the codec was written, and what is measured. */

const STRUCTURES = ['rpc-tuple', 'small-tuples', 'process-info', 'document-atom-keys', 'document-binary-keys']
const DOCUMENTS = ['document-atom-keys', 'document-binary-keys']
const STRINGS = ['ascii-strings', 'utf8-strings']
const OTHERS = ['atoms', 'binary-1mb', 'deep-list', 'floats', 'int64s', 'ints', 'rpc-tuple', 'small-tuples', 'process-info'] // prettier-ignore
const ALL_BUT_STRINGS = [...OTHERS, ...DOCUMENTS]

/** A ratio of at least `least` to a rival, of each term named; without names, of the geometric mean over all. */
const GOALS = [
  { what: 'decode', who: 'erlpack', least: 5, names: STRUCTURES },
  { what: 'decode', who: 'erlpack', least: 15, names: ['ints'] },
  { what: 'decode', who: 'erlpack', least: 3, names: ['ascii-strings'] },
  { what: 'decode', who: 'erlpack', least: 1.2, names: ['utf8-strings'] },
  { what: 'decode', who: 'msgpackr', least: 1, names: OTHERS },
  { what: 'decode', who: 'msgpackr', least: 1.5, names: DOCUMENTS },
  { what: 'decode', who: 'msgpackr', least: 0.8, names: STRINGS },
  { what: 'decode', who: 'JSON', least: 1.1, names: [...ALL_BUT_STRINGS, 'ascii-strings'] },
  { what: 'decode', who: 'BEAM', least: 1.5, names: STRUCTURES },
  { what: 'decode', who: 'BEAM', least: 0.9 },
  { what: 'encode', who: 'erlpack', least: 8, names: ALL_BUT_STRINGS },
  { what: 'encode', who: 'erlpack', least: 3, names: STRINGS },
  { what: 'encode', who: 'msgpackr', least: 1.2, names: [...ALL_BUT_STRINGS, ...STRINGS] },
  { what: 'encode', who: 'JSON', least: 1.3, names: ALL_BUT_STRINGS },
  { what: 'encode', who: 'BEAM', least: 0.8, names: [...STRUCTURES, 'deep-list'] },
  { what: 'encode', who: 'BEAM', least: 0.5 },
]

/**
 * @param ratioOf of a decoding or encoding, a term's name and a rival: how many times as fast beampeer is, as text; not a
 *   number where the rival cannot carry the term
 * @param meanOf the same over all terms
 * @returns a Markdown table
 */
export function goals(ratioOf, meanOf) {
  const rows = GOALS.map(({ what, who, least, names }) => {
    const figures = (names ?? ['geometric mean of all'])
      .map((name) => [name, names === undefined ? meanOf(what, who) : ratioOf(what, name, who)])
      .filter(([, figure]) => Number(figure) > 0)
    const list = (isMet) =>
      figures
        .filter(([, figure]) => Number(figure) >= least === isMet)
        .map(([name, figure]) => `${name} ${figure}`)
        .join(', ')
    return `| ${what}: ${least} × ${who} | ${list(true)} | ${list(false)} |`
  })
  return ['| goal: at least | met by | not met by |', '| --- | --- | --- |', ...rows].join('\n')
}
