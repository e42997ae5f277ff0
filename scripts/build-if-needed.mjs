// Builds lib when something in src is newer than it. Leaves out the check of types (`npm run build` has it): half the time.
import { spawnSync } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { bundle } from './bundle.mjs'

const root = new URL('../', import.meta.url)

/** Whether a build was needed. Throws when it fails. */
export function buildIfNeeded() {
  const built = modified(new URL('lib/cli/program.cjs', root))
  const sources = readdirSync(new URL('src', root), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => modified(`${entry.parentPath ?? entry.path}/${entry.name}`))
  if (Math.max(modified(new URL('tsconfig.build.json', root)), ...sources) <= built) return false
  const compiler = createRequire(import.meta.url).resolve('typescript/bin/tsc')
  const { status } = spawnSync(process.execPath, [compiler, '-p', 'tsconfig.build.json', '--noCheck'], {
    cwd: fileURLToPath(root),
    stdio: 'inherit',
  })
  if (status !== 0) throw new Error('the build failed')
  bundle()
  buildPageIfNeeded()
  return true
}

/** The dashboard's page, of its own sources and the few modules that it shares with the server. */
function buildPageIfNeeded() {
  const page = readdirSync(new URL('src/dashboard', root), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => modified(`${entry.parentPath ?? entry.path}/${entry.name}`))
  if (
    Math.max(modified(new URL('vite.config.ts', root)), ...page) <=
    modified(new URL('lib/dashboard/web/index.html', root))
  )
    return
  const { status } = spawnSync('npx', ['vite', 'build', '--logLevel', 'warn'], {
    cwd: fileURLToPath(root),
    stdio: 'inherit',
  })
  if (status !== 0) throw new Error('the build of the page failed')
}

function modified(file) {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0
}

if (process.argv[2] === '--run') buildIfNeeded()
