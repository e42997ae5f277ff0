/**
 * Builds the page to lib/dashboard/web: index.html, assets with a hash in their names, each with its `.br` and `.gz`, and
 * the licences of what is bundled. `npm run build` runs it.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { defineConfig, type Plugin } from 'vite'

/** Compressed once here and not at each request. */
function precompress(): Plugin {
  let directory = ''
  return {
    name: 'precompress',
    configResolved: (config) => {
      directory = path.resolve(config.root, config.build.outDir)
    },
    closeBundle: () => {
      for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
        if (!entry.isFile() || !/\.(html|js|css|svg)$/.test(entry.name)) continue
        const file = path.join(entry.parentPath, entry.name)
        const bytes = readFileSync(file)
        writeFileSync(`${file}.br`, brotliCompressSync(bytes))
        writeFileSync(`${file}.gz`, gzipSync(bytes, { level: 9 }))
      }
    },
  }
}

export default defineConfig({
  root: path.resolve(process.cwd(), 'src/dashboard/web'),
  // Relative, so that the page works behind a proxy that serves it under a path.
  base: './',
  logLevel: 'warn',
  build: {
    outDir: '../../../lib/dashboard/web',
    emptyOutDir: true,
    target: ['chrome123', 'firefox120', 'safari17.5'],
    modulePreload: { polyfill: false },
    // A data: URL would need more of the content security policy than 'self'.
    assetsInlineLimit: 0,
    license: { fileName: 'LICENSES.md' },
  },
  plugins: [precompress()],
})
