// Text in the world's languages: what a BEAM has no library for and Node brings along.
//
//   npx beampeer start --name js@127.0.0.1 --module intl=examples/intl.js
//
//   rpc:call('js@127.0.0.1', intl, money, [1234567.5, <<"EUR">>, <<"de">>]).
//   :rpc.call(:"js@127.0.0.1", :intl, :sort, [["Zebra", "Äpfel", "Apfel"], "de"])
//
// Text comes as binary or charlist and goes back as binary.
import { asText } from 'beampeer'

/** `1.234.567,50 €` */
export function money(amount, currency, language) {
  return new Intl.NumberFormat(asText(language), { style: 'currency', currency: asText(currency) }).format(
    amount,
  )
}

/** Words in the order of a language's dictionary. */
export function sort(words, language) {
  return words.map((word) => asText(word)).sort(new Intl.Collator(asText(language)).compare)
}

/** A day, from `erlang:system_time(second)`, as a sentence would have it. */
export function day(seconds, language) {
  const format = new Intl.DateTimeFormat(asText(language), { dateStyle: 'full', timeZone: 'UTC' })
  return format.format(new Date(Number(seconds) * 1_000))
}

/** `red, green, and blue` */
export function list(words, language) {
  return new Intl.ListFormat(asText(language)).format(words.map((word) => asText(word)))
}

/** What a reader counts as one character each. */
export function graphemes(text) {
  return Array.from(new Intl.Segmenter().segment(asText(text)), ({ segment }) => segment)
}
