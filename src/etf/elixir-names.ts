/**
 * Which names Elixir writes without quotes: `Macro.classify_atom/1` and `Macro.inspect_atom/2` of Elixir 1.14.
 *
 * Elixir's tokenizer carries its own Unicode tables; this follows the rules they come from (UAX #31 identifiers in
 * NFKC form, letters of one script only) with the tables of the JavaScript engine, so that names in rare or mixed
 * scripts may differ in their quotes. ASCII names are exact.
 */

/** Operators and special forms that an atom or a keyword's key may spell without quotes. */
const BARE = new Set(
  (
    '+ - * / ++ -- +++ --- ** .. ..// ... . {} %{} % <<>> @ & && &&& | || ||| |> <~ ~> <~> <<~ ~>> <<< >>> -> <- ' +
    '= == != === !== =~ < > <= >= ! ^ <> \\\\'
  ).split(' '),
)

/** Of these, the special forms, which cannot be called; `::` and three old operators can, but not stand as atoms. */
const NOT_CALLABLE = new Set(['..', '..//', '...', '.', '{}', '%{}', '%', '<<>>', '->'])
const ONLY_CALLABLE = new Set(['::', '<|>', '^^^', '~~~'])

const ALIAS = /^Elixir(\.[A-Z][a-zA-Z0-9_]*)*$/
const ASCII_IDENTIFIER = /^[a-zA-Z_][a-zA-Z0-9_@]*[?!]?$/
// In a function: classes of Unicode take a millisecond to set up, and few programs need them.
const isIdentifier = (name: string): boolean => /^[\p{L}\p{Nl}_][\p{ID_Continue}@]*[?!]?$/u.test(name)

/** Each a set of scripts whose letters may stand together in one name (UTS #39, "highly restrictive" without Latin). */
const SCRIPT_SETS = [
  ...(
    'Latin Arabic Armenian Bengali Bopomofo Cyrillic Devanagari Ethiopic Georgian Greek Gujarati Gurmukhi Hangul Han ' +
    'Hebrew Hiragana Kannada Katakana Khmer Lao Malayalam Myanmar Oriya Sinhala Tamil Telugu Thaana Thai Tibetan'
  )
    .split(' ')
    .map((script) => [script]),
  ['Han', 'Hiragana', 'Katakana'],
  ['Han', 'Hangul'],
  ['Han', 'Bopomofo'],
]

/** Matches names whose letters are of such a set. Made at first use: they take time to compile, and such names are rare. */
let scripts: RegExp[] | undefined

function scriptPatterns(): RegExp[] {
  scripts ??= SCRIPT_SETS.map((names) => {
    const classes = [...names, 'Common', 'Inherited'].map((script) => `\\p{Script_Extensions=${script}}`)
    return new RegExp(`^[${classes.join('')}]*$`, 'u')
  })
  return scripts
}

/** Whether this atom is a module alias: `Elixir.Foo.Bar`. */
export function isElixirAlias(name: string): boolean {
  return ALIAS.test(name)
}

/** Whether `:name` needs no quotes. */
export function isElixirIdentifier(name: string): boolean {
  return BARE.has(name) || isTokenizable(name)
}

/** Whether `Module.name` needs no quotes around the name. */
export function isElixirCall(name: string): boolean {
  if (BARE.has(name)) return !NOT_CALLABLE.has(name)
  if (ONLY_CALLABLE.has(name)) return true
  return isTokenizable(name) && !name.includes('@') && !/^\p{Lu}/u.test(name)
}

function isTokenizable(name: string): boolean {
  if (ASCII_IDENTIFIER.test(name)) return true
  if (!isIdentifier(name) || name.normalize('NFKC') !== name) return false
  return scriptPatterns().some((script) => script.test(name))
}
