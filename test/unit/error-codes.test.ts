import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Codes are string literals of this form; other literals in capitals do not have these prefixes. */
const CODE =
  /'((?:BAD|COOKIE|DASHBOARD|DIST|DOCTOR|EPMD|ERLANG|ETF|GEN|GLOBAL|HANDSHAKE|IO|NODE|PG|PROBE|PROCESS|RPC)_[A-Z0-9_]+)'/g

const source = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => readFileSync(join(folder, file), 'utf8'))

test('every error code has a heading in docs/errors.md, and every heading is a code', () => {
  const codes = new Set<string>()
  for (const text of source('src')) for (const match of text.matchAll(CODE)) codes.add(match[1] as string)
  // The name of a control message.
  codes.delete('NODE_LINK')
  const headings = new Set(
    [...readFileSync('docs/errors.md', 'utf8').matchAll(/^### ([A-Z0-9_]+)$/gm)].map((match) => match[1]),
  )
  expect([...codes].filter((code) => !headings.has(code)).sort()).toEqual([])
  expect([...headings].filter((code) => !codes.has(code as string)).sort()).toEqual([])
})
