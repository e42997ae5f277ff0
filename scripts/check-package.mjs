// Packs the package as npm would publish it and checks what a user gets: its metadata (publint), its types as every
// module resolution sees them (are-the-types-wrong), that each subpath loads by `import` and by `require`, that its
// command runs, and that nothing superfluous is in it.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const directory = mkdtempSync(join(tmpdir(), 'beampeer-package-'))
let failures = 0

const STACK = `
import { ErlangNode, print } from 'beampeer'
const options = { epmd: 'none', cookie: 'check' }
const called = await ErlangNode.start('called@127.0.0.1', options)
called.expose('m', { fail() { throw new TypeError('not today') } })
const resolve = () => ({ host: '127.0.0.1', port: called.port })
const caller = await ErlangNode.start('caller@127.0.0.1', { ...options, resolve })
const error = await caller.erpc.call(called.name, 'm', 'fail').catch((error) => error)
const stack = print(error.erlangStack)
await Promise.all([caller.stop(), called.stop()])
if (!stack.includes('stack.mjs') || stack.includes('chunk')) throw new Error(stack)
`

/** Runs a command, shows its output when it fails, and counts the failure. */
function check(name, command, args, options = {}) {
  try {
    const output = execFileSync(command, args, {
      cwd: directory,
      encoding: 'utf8',
      stdio: 'pipe',
      ...options,
    })
    console.log(`ok      ${name}`)
    return output
  } catch (error) {
    failures++
    console.log(`FAILED  ${name}\n${error.stdout ?? ''}${error.stderr ?? error.message}`)
    return undefined
  }
}

try {
  const packed = check('npm pack', 'npm', ['pack', '--json', '--pack-destination', directory], { cwd: root })
  if (packed === undefined) throw new Error('there is no package to check')
  const report = JSON.parse(packed.slice(packed.search(/[[{]\s*["{]/)))
  const [{ filename, files }] = Array.isArray(report) ? report : Object.values(report)
  const tarball = join(directory, filename)
  const superfluous = files
    .map((file) => file.path)
    .filter((path) => !/^(lib|docs)\/|^(package\.json|README|LICENSE|CHANGELOG|SECURITY)/.test(path))
  if (superfluous.length > 0) {
    failures++
    console.log(`FAILED  contents: ${superfluous.join(', ')}`)
  }
  const bin = (name) => join(root, 'node_modules', '.bin', name)
  check('publint', bin('publint'), ['run', tarball, '--strict'])
  check('are the types wrong', bin('attw'), [tarball, '--profile', 'esm-only'])

  writeFileSync(join(directory, 'package.json'), JSON.stringify({ name: 'user', private: true }))
  check('npm install', 'npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', tarball])

  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  for (const [subpath, target] of Object.entries(exports)) {
    const specifier = join('beampeer', subpath)
    check(`require('${specifier}')`, 'node', ['-e', `require(${JSON.stringify(specifier)})`])
    if (specifier.endsWith('.json')) continue
    for (const conditions of typeof target === 'object' && 'browser' in target
      ? [[], ['--conditions=browser']]
      : [[]]) {
      check(`import '${specifier}' ${conditions.join(' ')}`, 'node', [
        ...conditions,
        '--input-type=module',
        '-e',
        `import * as all from ${JSON.stringify(specifier)}; if (Object.keys(all).length === 0) process.exit(1)`,
      ])
    }
  }
  check('one class of each name, whichever subpath it comes from', 'node', [
    '--input-type=module',
    '-e',
    `import * as all from 'beampeer'; import * as etf from 'beampeer/etf'
    const differ = Object.keys(etf).filter((name) => all[name] !== etf[name])
    if (differ.length > 0) throw new Error(differ.join())`,
  ])
  // In the package the files are others than in src, and lie elsewhere.
  writeFileSync(join(directory, 'stack.mjs'), STACK)
  check("a caller gets the user's stack frames, not the package's", 'node', ['stack.mjs'])
  check('beampeer --version', join(directory, 'node_modules', '.bin', 'beampeer'), ['--version'])
} finally {
  rmSync(directory, { recursive: true, force: true })
}
process.exit(failures === 0 ? 0 : 1)
