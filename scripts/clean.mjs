// Removes the build, so that nothing that is no longer in src stays in lib.
import { rmSync } from 'node:fs'

rmSync(new URL('../lib', import.meta.url), { recursive: true, force: true })
