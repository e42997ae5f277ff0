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

const common = {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  transform: { '^.+\\.ts$': ['ts-jest', { tsconfig: { ...compilerOptions, target: 'ES2022' } }] },
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
}

/** @type {import('jest').Config} */
export default {
  // Long enough for a machine that is busy with other things: no test measures time.
  testTimeout: 180_000,
  // Tests of real nodes mostly wait for them.
  maxWorkers: '100%',
  projects: [
    // Needs nothing but Node.
    {
      ...common,
      displayName: 'node',
      testMatch: ['**/*.test.ts'],
      testPathIgnorePatterns: ['/test/beam/', '/test/browser/'],
    },
    // Talks to real Erlang nodes: the set-up installs OTP where it can, else says what to install and fails.
    {
      ...common,
      displayName: 'beam',
      testMatch: ['<rootDir>/test/beam/**/*.test.ts'],
      globalSetup: '<rootDir>/scripts/setup-beam.mjs',
    },
    // The dashboard in Chromium, over real Erlang nodes.
    {
      ...common,
      displayName: 'browser',
      testMatch: ['<rootDir>/test/browser/**/*.test.ts'],
      globalSetup: '<rootDir>/scripts/setup-beam.mjs',
    },
  ],
}
