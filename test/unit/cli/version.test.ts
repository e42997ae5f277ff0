import { readFileSync } from 'node:fs'
import { VERSION } from '../../../src/cli/version.js'

test('the version that the command prints is the package’s', () => {
  expect(VERSION).toBe((JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }).version)
})
