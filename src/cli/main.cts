#!/usr/bin/env node
/**
 * Where the `beampeer` command begins.
 *
 * Commands that run for a moment come out of one file, `program.cjs`, which scripts/bundle.mjs makes of program.js and
 * all that they need: loading the modules one by one takes longer than all that they do. V8's compiled code of it, as far as
 * a command uses it, is kept beside it, a file for each command and V8: that of a run that failed until one has succeeded,
 * which uses more of it. Who can write there can write the program itself:
 * nothing is trusted that was not trusted before. Where it cannot be kept, loading takes longer.
 *
 * Commands that run on, or run modules of users, which bring the package along, load what is shared with that; all do with
 * BEAMPEER_DEBUG, with which stack traces name the functions, files and lines of the source.
 *
 * CommonJS: Node.js begins sooner with it than with an ES module.
 */
import fs = require('node:fs')
import vm = require('node:vm')
import type { run } from './program.js' with { 'resolution-mode': 'import' }

/** Commands that are in the bundle. */
const QUICK = /^(ping|call|names|doctor)$|^(--version|-V|--help|-h|help)$/

/** Asks for the help of a command, instead of what it does. */
const HELP = /^(--help|-h)$/

interface Program {
  run: typeof run
}

type Wrapper = (module: { exports: unknown }, require: NodeJS.Require) => void

/** @returns undefined where the command is none of the bundle, or there is no bundle beside this file */
function loadQuickly(): Program | undefined {
  const quick = QUICK.exec(process.argv[2] ?? '')
  if (quick === null || process.env.BEAMPEER_DEBUG) return undefined
  const file = `${__dirname}/program.cjs`
  let source: string
  try {
    // The bundler escapes what is not ASCII.
    source = fs.readFileSync(file, 'latin1')
  } catch {
    return undefined
  }
  const kept = `${file}.${quick[1] ?? 'help'}.${process.versions.v8}-${process.arch}`
  const part = `${kept}.part`
  let from = kept
  let cachedData = readOptional(kept)
  if (cachedData === undefined) cachedData = readOptional((from = part))
  const script = new vm.Script(source, {
    filename: file,
    importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
    ...(cachedData !== undefined && { cachedData }),
  })
  const module = { exports: {} }
  ;(script.runInThisContext() as Wrapper)(module, require)
  const usable = cachedData !== undefined && script.cachedDataRejected !== true
  // At the end: functions that ran are in it.
  process.once('exit', (status) => {
    const succeeded =
      status === 0 && (quick[1] === undefined || !process.argv.some((word) => HELP.test(word)))
    if (usable && (from === kept || !succeeded)) return
    keep(succeeded ? kept : part, script, cachedData && from)
  })
  return module.exports as Program
}

function readOptional(file: string): Buffer | undefined {
  try {
    return fs.readFileSync(file)
  } catch {
    return undefined
  }
}

/**
 * Whole or not at all: others may start meanwhile.
 * @param instead a file that is not to be used any more
 */
function keep(file: string, script: vm.Script, instead: string | undefined): void {
  const own = `${file}.${process.pid}`
  try {
    // Making the code takes time, which is not spent where it cannot be kept.
    fs.accessSync(__dirname, fs.constants.W_OK)
    fs.writeFileSync(own, script.createCachedData())
    if (instead !== undefined) fs.rmSync(instead, { force: true })
    fs.renameSync(own, file)
  } catch {
    // A folder that only others may write, or a full disk: it goes without.
    fs.rmSync(own, { force: true })
  }
}

void (async () => {
  if (process.env.BEAMPEER_DEBUG) process.setSourceMapsEnabled(true)
  const { run } = loadQuickly() ?? (await import('./program.js'))
  await run(process.argv)
})()
