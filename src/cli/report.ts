/** How commands say what went wrong: the reason, its code, and what to do next. On standard error; exit status 1. */
import { BeampeerError } from '../errors.js'
import { HINTS } from './hints.js'
import { writeError } from './output.js'
import { visibleLines } from './visible.js'

/** Prints an error for a person and sets the exit status to 1. */
export function fail(error: unknown): void {
  process.exitCode = 1
  if (!(error instanceof BeampeerError)) {
    writeError(`beampeer: ${visibleLines(error instanceof Error ? error.message : String(error))}\n`)
    if (error instanceof Error && process.env.BEAMPEER_DEBUG)
      writeError(`${visibleLines(error.stack ?? '', '')}\n`)
    return
  }
  writeError(`beampeer: ${visibleLines(error.message)} [${error.code}]\n`)
  for (const reason of reasons(error)) writeError(`  because: ${visibleLines(reason)}\n`)
  const hint = hintFor(error)
  if (hint !== undefined) writeError(`  ${hint}\n`)
  if (process.env.BEAMPEER_DEBUG) writeError(`${visibleLines(error.stack ?? '', '')}\n`)
}

/** The messages of what caused an error, those that say something new. */
function reasons(error: Error): string[] {
  const found: string[] = []
  let told = error.message
  for (const cause of chain(error)) {
    if (cause.message !== '' && !told.includes(cause.message)) {
      found.push(cause.message)
      told += cause.message
    }
  }
  return found
}

/** The hint for the innermost error that has one. */
function hintFor(error: BeampeerError): string | undefined {
  let hint: string | undefined
  for (const at of chain(error)) {
    if (!(at instanceof BeampeerError)) continue
    const { code } = at
    hint = HINTS.find(([known]) => code.startsWith(known))?.[1] ?? hint
  }
  return hint
}

/** An error and its causes, each once. */
function chain(error: Error): Set<Error> {
  const all = new Set<Error>()
  for (let at: unknown = error; at instanceof Error && !all.has(at); at = at.cause) all.add(at)
  return all
}
