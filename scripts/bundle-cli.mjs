// Makes lib/cli/program.cjs, which src/cli/main.cts loads: the short commands and all they need in one file. What
// other commands need stays where it is: those are started from the modules themselves.
//   node scripts/bundle-cli.mjs
import { readdirSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { buildSync } from 'esbuild'

const path = (name) => fileURLToPath(new URL(`../lib/cli/${name}`, import.meta.url))

/** Needs the modules in lib. Throws when it fails. */
export function bundleCli() {
  // Compiled code of an older bundle.
  for (const name of readdirSync(path(''))) if (name.startsWith('program.cjs.')) rmSync(path(name))
  buildSync({
    entryPoints: [path('program.js')],
    outfile: path('program.cjs'),
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20.19',
    packages: 'bundle',
    // Commander needs it for commands that are programs of their own: there are none.
    alias: { 'node:child_process': path('version.js') },
    external: [
      'node-forge',
      ...['start', 'top', 'dashboard', 'inspect', 'epmd'].map((name) => `./${name}.js`),
    ],
    banner: { js: '(function (module, require) {' },
    footer: { js: '})' },
    // Less to read and to keep for V8. With BEAMPEER_DEBUG the modules run themselves, under their own names.
    minify: true,
    // Loaded as Latin-1.
    charset: 'ascii',
    legalComments: 'none',
    logLevel: 'warning',
  })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) bundleCli()
