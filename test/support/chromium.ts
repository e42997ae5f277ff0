/** The browser of the tests: Debian's package `chromium`, or the program that `BEAMPEER_CHROMIUM` names. */
import { execFileSync } from 'node:child_process'

/** @throws Error naming the package where there is none */
export function chromium(): string {
  for (const name of [
    process.env['BEAMPEER_CHROMIUM'] ?? '',
    'chromium',
    'chromium-browser',
    'google-chrome',
  ]) {
    try {
      if (name !== '') return execFileSync('which', [name], { encoding: 'utf8' }).trim()
    } catch {
      // The next one.
    }
  }
  throw new Error(
    'this test needs Chromium: install the package chromium, or set BEAMPEER_CHROMIUM to the program',
  )
}

/** Without a sandbox, as tests run as root; without what would talk to others. */
export const CHROMIUM_SWITCHES = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-dev-shm-usage',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]
