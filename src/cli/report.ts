/** How commands say what went wrong: the reason, its code, and what to do next. On standard error; exit status 1. */
import { BeampeerError } from '../errors.js'

/** What helps with an error, by its code: the whole of it, or how it begins. */
const HINTS: readonly (readonly [code: string, hint: string])[] = [
  [
    'EPMD_UNREACHABLE',
    'Is the host right, and does an EPMD run there? `beampeer epmd` runs one; ERL_EPMD_PORT names another port than 4369.',
  ],
  ['EPMD_NAME_TAKEN', 'Another node has this name: stop it, or choose another. `beampeer names` lists them.'],
  [
    'EPMD_PORT_TAKEN',
    'Something listens there already: `--epmd auto` uses a running EPMD, ERL_EPMD_PORT names another port.',
  ],
  [
    'HANDSHAKE_BAD_COOKIE',
    'Use the cookie of that node: --cookie-file FILE, BEAMPEER_COOKIE, or ~/.erlang.cookie.',
  ],
  ['HANDSHAKE_NOT_ALLOWED', 'That node accepts only nodes that it was told to allow (net_kernel:allow/1).'],
  [
    'HANDSHAKE_MISSING_FLAGS',
    'That node’s release is too old or too new for this one; docs/errors.md lists what each requires.',
  ],
  [
    'HANDSHAKE_TIMEOUT',
    'The port was open but nothing answered as an Erlang node: is it suspended, or behind a proxy or TLS?',
  ],
  ['BAD_NODE_NAME', 'A node’s name has the form name@host, such as app@127.0.0.1.'],
  [
    'COOKIE_',
    'Give the cookie by --cookie-file, BEAMPEER_COOKIE, or ~/.erlang.cookie (mode 0400, owned by you).',
  ],
  ['ETF_PARSE', 'Arguments are an Erlang list in single quotes: \'[1, {ok, "text"}, <<"binary">>]\'.'],
]

/** Prints an error for a person and sets the exit status to 1. */
export function fail(error: unknown): void {
  process.exitCode = 1
  if (!(error instanceof BeampeerError)) {
    process.stderr.write(`beampeer: ${error instanceof Error ? error.message : String(error)}\n`)
    if (error instanceof Error && process.env.BEAMPEER_DEBUG) process.stderr.write(`${error.stack}\n`)
    return
  }
  process.stderr.write(`beampeer: ${error.message} [${error.code}]\n`)
  for (const reason of reasons(error)) process.stderr.write(`  because: ${reason}\n`)
  const hint = hintFor(error)
  if (hint !== undefined) process.stderr.write(`  ${hint}\n`)
  if (process.env.BEAMPEER_DEBUG) process.stderr.write(`${error.stack}\n`)
}

/** The messages of what caused an error, those that say something new. */
function reasons(error: Error): string[] {
  const found: string[] = []
  let told = error.message
  for (let cause = error.cause; cause instanceof Error && found.length < 5; cause = cause.cause) {
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
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if (!(at instanceof BeampeerError)) continue
    const { code } = at
    hint = HINTS.find(([known]) => code.startsWith(known))?.[1] ?? hint
  }
  return hint
}
