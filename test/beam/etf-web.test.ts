/**
 * The codec in a browser: headless Chromium loads `etf/web.ts` as modules and passes the vectors that Node passes.
 * `BEAMPEER_CHROMIUM` names the program; Debian's package is `chromium`.
 */
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import ts from 'typescript'
import type * as web from '../../src/etf/web.js'
import { chromium, CHROMIUM_SWITCHES } from '../support/chromium.js'
import { hostileInputs, RELEASES, vectors } from '../support/etf-vectors.js'
import { decode, encode } from '../../src/etf/node.js'

const root = path.join(__dirname, '../..')

interface Case {
  name: string
  hex: string
  like: 25 | 27
  minorVersion: 0 | 1 | 2
}

type Outcome = { hex: string } | { code: string }

/** Runs in the page, as text: nothing of this file is there. */
function inThePage(etf: typeof web, cases: Case[]): { outcomes: Outcome[]; extra: unknown } {
  const fromHex = (hex: string): Uint8Array =>
    Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16))
  const toHex = (bytes: Uint8Array): string =>
    Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
  const outcomes = cases.map(({ hex, like, minorVersion }): Outcome => {
    try {
      const term = etf.decode(fromHex(hex))
      const again = etf.decode(etf.encode(term, { compressed: true }))
      if (!etf.isEqual(term, again)) return { code: 'compressed differs' }
      return { hex: toHex(etf.encode(term, { like, minorVersion })) }
    } catch (error) {
      return { code: (error as { code?: string }).code ?? String(error) }
    }
  })
  const text = 'žluť 日本 😀 '.repeat(50)
  const big = (1n << 20_000n) + 12345n
  const extra = {
    text: etf.decode(etf.encode(text), { binaries: 'text' }) === text,
    big: etf.decode(etf.encode(big)) === big,
    buffer: 'Buffer' in globalThis,
    surrogate: ((): string => {
      try {
        etf.encode('x'.repeat(100) + String.fromCharCode(0xd800))
        return 'encoded'
      } catch (error) {
        return (error as { code: string }).code
      }
    })(),
  }
  return { outcomes, extra }
}

/** Serves the sources as JavaScript modules, and a page that runs the cases and puts what came out into its body. */
function serve(cases: Case[]): http.Server {
  const page = `<!doctype html><meta charset="utf-8"><body><script type="module">
    import * as etf from '/src/etf/web.js'
    document.body.textContent = JSON.stringify((${inThePage.toString()})(etf, ${JSON.stringify(cases)}))
  </script>`
  return http.createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost')
    if (pathname === '/') return void response.setHeader('content-type', 'text/html').end(page)
    const file = path.join(root, pathname.replace(/\.js$/, '.ts'))
    if (!pathname.startsWith('/src/') || !file.startsWith(path.join(root, 'src')))
      return void response.writeHead(404).end()
    const source = readFileSync(file, 'utf8')
    const { outputText } = ts.transpileModule(source, {
      compilerOptions: {
        module: ts.ModuleKind.ESNext,
        target: ts.ScriptTarget.ES2022,
        verbatimModuleSyntax: true,
      },
    })
    response.setHeader('content-type', 'text/javascript').end(outputText)
  })
}

test('Chromium reads and writes every vector as Node does', async () => {
  const captured = RELEASES.flatMap((otp) =>
    vectors(otp)
      .filter(({ bytes }) => bytes[1] !== 121)
      .map(({ expression, bytes }): Case => {
        const minor = /minor_version, (\d)/.exec(expression)?.[1]
        return {
          name: `${otp} ${expression}`,
          hex: Buffer.from(bytes).toString('hex'),
          like: otp < 26 ? 25 : 27,
          minorVersion: (minor === undefined ? (otp < 26 ? 1 : 2) : Number(minor)) as 0 | 1 | 2,
        }
      }),
  )
  const hostile = hostileInputs().map(({ name, bytes }): Case => ({
    name,
    hex: Buffer.from(bytes).toString('hex'),
    like: 27,
    minorVersion: 2,
  }))
  const cases = [...captured, ...hostile]
  const server = serve(cases)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const profile = mkdtempSync(path.join(os.tmpdir(), 'beampeer-chromium-'))
  try {
    const { port } = server.address() as AddressInfo
    const switches = [
      '--headless',
      ...CHROMIUM_SWITCHES,
      `--user-data-dir=${profile}`,
      '--dump-dom',
      `http://127.0.0.1:${port}/`,
    ]
    const { stdout } = await promisify(execFile)(chromium(), switches, { maxBuffer: 1 << 26 })
    const body = /<body>([\s\S]*)<\/body>/.exec(stdout)?.[1] ?? stdout
    const { outcomes, extra } = JSON.parse(
      body.replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&amp;/g, '&'),
    ) as ReturnType<typeof inThePage>
    expect(extra).toEqual({ text: true, big: true, buffer: false, surrogate: 'ETF_BAD_TEXT' })
    const expected = cases.map(({ hex, like, minorVersion }): Outcome => {
      try {
        return {
          hex: Buffer.from(encode(decode(Buffer.from(hex, 'hex')), { like, minorVersion })).toString('hex'),
        }
      } catch (error) {
        return { code: (error as { code: string }).code }
      }
    })
    expect(cases.map(({ name }, i) => [name, outcomes[i]])).toEqual(
      cases.map(({ name }, i) => [name, expected[i]]),
    )
    // And what releases wrote, plainly, came back as it was.
    const changed = captured.filter(
      ({ hex }, i) => !hex.startsWith('8350') && (outcomes[i] as { hex: string }).hex !== hex,
    )
    expect(changed).toEqual([])
  } finally {
    server.close()
    rmSync(profile, { recursive: true, force: true })
  }
})
