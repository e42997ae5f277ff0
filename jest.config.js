// Tests run as CommonJS: ts-jest compiles each file alone and jest needs no experimental flag.
// Types are checked by `npm run typecheck`, over src and test alike.
const compilerOptions = {
  module: 'CommonJS',
  moduleResolution: 'Node10',
  verbatimModuleSyntax: false,
  isolatedModules: true,
  esModuleInterop: true,
  sourceMap: true,
}

/** @type {import('jest').Config} */
export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  transform: { '^.+\\.ts$': ['ts-jest', { tsconfig: { ...compilerOptions, target: 'ES2022' } }] },
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  testTimeout: 60_000,
}
