#!/usr/bin/env node
/**
 * Where the `beampeer` command begins.
 *
 * Commands that run for a moment come out of one file, `program.cjs`, which scripts/bundle-cli.mjs makes of program.js and
 * all that they need: loading the modules one by one takes longer than all that they do. V8's compiled code of it is kept
 * beside it, a file for each V8. Who can write there can write the program itself: nothing is trusted that was not trusted
 * before. Where it cannot be kept, loading takes longer.
 *
 * Commands that run on, or run modules of users, which bring the package's own modules along, load those.
 */
import type { run } from './program.js'

// Not imported: an import of these makes all their exports, which loads parts of Node.js that are not wanted here.
const { readFileSync, realpathSync, renameSync, rmSync, writeFileSync } = process.getBuiltinModule('node:fs')
const { createRequire } = process.getBuiltinModule('node:module')
const { dirname, join } = process.getBuiltinModule('node:path')
const { constants, Script } = process.getBuiltinModule('node:vm')

/** Commands that are in the bundle. */
const QUICK = /^(ping|call|names|doctor|--version|-V|--help|-h|help)$/

interface Program {
  run: typeof run
}

type Wrapper = (module: { exports: unknown }, require: NodeJS.Require) => void

/** @returns undefined where there is no bundle beside this file */
function loadQuickly(): Program | undefined {
  let file: string
  let source: string
  try {
    file = join(dirname(realpathSync(process.argv[1] ?? '')), 'program.cjs')
    // The bundler escapes what is not ASCII.
    source = readFileSync(file, 'latin1')
  } catch {
    return undefined
  }
  const kept = `${file}.${process.versions.v8}-${process.arch}`
  const cachedData = readOptional(kept)
  const script = new Script(source, {
    filename: file,
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
    ...(cachedData !== undefined && { cachedData }),
  })
  const module = { exports: {} }
  ;(script.runInThisContext() as Wrapper)(module, createRequire(file))
  // At the end: functions that ran are in it.
  if (cachedData === undefined || script.cachedDataRejected === true)
    process.once('exit', () => keep(kept, script.createCachedData()))
  return module.exports as Program
}

function readOptional(file: string): Buffer | undefined {
  try {
    return readFileSync(file)
  } catch {
    return undefined
  }
}

/** Whole or not at all: others may start meanwhile. */
function keep(file: string, data: Buffer): void {
  const own = `${file}.${process.pid}`
  try {
    writeFileSync(own, data)
    renameSync(own, file)
  } catch {
    // A folder that only others may write, or a full disk: it goes without.
    rmSync(own, { force: true })
  }
}

void (async () => {
  const program = QUICK.test(process.argv[2] ?? '') ? loadQuickly() : undefined
  const { run } = program ?? (await import('./program.js'))
  await run(process.argv)
})()
