// Joins the modules that tsc left in lib into few files: each module by itself costs V8 and Node memory and time, whatever
// is in it (bench/startup/load.js).
//   lib/cli/program.cjs  the short commands and all they need, which src/cli/main.cts loads
//   lib/index.js, …      what package.json exports, and the commands that run on; what several of them need is in
//                        lib/chunks
// Types stay as tsc made them, one file for each module.
//   node scripts/bundle.mjs
import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildSync } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
const lib = (name) => join(root, 'lib', name)

/** Vite's. */
const PAGE = lib('dashboard/web/')

/** Commands that run on. */
const LASTING = ['start', 'top', 'dashboard', 'inspect', 'epmd']

const common = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  legalComments: 'none',
  logLevel: 'warning',
}

/** Needs the modules in lib, as tsc made them. Throws when it fails. */
export function bundle() {
  const program = shortCommands()
  bundleRest()
  // Compiled code of an older bundle.
  for (const name of readdirSync(lib('cli'))) if (name.startsWith('program.cjs.')) rmSync(lib(`cli/${name}`))
  // Last: build-if-needed.mjs takes its age for that of all.
  writeFileSync(lib('cli/program.cjs'), program)
}

function shortCommands() {
  const { outputFiles } = buildSync({
    ...common,
    entryPoints: [lib('cli/program.js')],
    outfile: lib('cli/program.cjs'),
    format: 'cjs',
    packages: 'bundle',
    // Commander needs it for commands that are programs of their own: there are none.
    alias: { 'node:child_process': lib('cli/version.js') },
    external: ['node-forge', ...LASTING.map((name) => `./${name}.js`)],
    banner: { js: '(function (module, require) {' },
    footer: { js: '})' },
    // Less to read and to keep for V8. With BEAMPEER_DEBUG names and lines are those of the source.
    minify: true,
    // Loaded as Latin-1.
    charset: 'ascii',
    write: false,
  })
  return outputFiles[0].contents
}

function bundleRest() {
  const { metafile } = buildSync({
    ...common,
    entryPoints: [
      'index.js',
      'etf/node.js',
      'etf/web.js',
      'dashboard/index.js',
      // Looks for the page beside itself.
      'dashboard/page-directory.mjs',
      ...['program', ...LASTING].map((name) => `cli/${name}.js`),
    ].map(lib),
    outdir: lib(''),
    outbase: lib(''),
    chunkNames: 'chunks/[name]-[hash]',
    allowOverwrite: true,
    format: 'esm',
    splitting: true,
    // Comments would be kept in memory, in two bytes a character if one of them is beyond Latin-1. Names stay.
    minifyWhitespace: true,
    minifySyntax: true,
    lineLimit: 120,
    packages: 'external',
    sourcemap: true,
    sourcesContent: false,
    metafile: true,
  })
  // What is in the files above now, and what was types alone.
  const kept = new Set(Object.keys(metafile.outputs).map((file) => join(root, file)))
  for (const entry of readdirSync(lib(''), { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath ?? entry.path, entry.name)
    if (/\.m?js(\.map)?$/.test(file) && !kept.has(file) && !file.startsWith(PAGE)) rmSync(file)
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) bundle()
