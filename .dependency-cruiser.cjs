// Imports point one way (ARCHITECTURE.md draws it): each rule names a layer and the only layers it may import.
const leaves = '^src/(arguments|errors|limits)\\.ts$'
const only = (layer, ...below) => ({
  name: `${layer}-imports-only-${below.join('-') || 'leaves'}`,
  severity: 'error',
  from: { path: `^src/${layer}/` },
  to: { path: '^src/', pathNot: [leaves, ...[layer, ...below].map((name) => `^src/${name}/`)] },
})
const pure = 'etf|epmd|handshake|dist'
const services = 'rex|gen|global|pg'

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'leaves-import-nothing',
      severity: 'error',
      from: { path: leaves },
      to: { path: '^src/', pathNot: leaves },
    },
    only('etf'),
    only('epmd'),
    only('handshake'),
    only('dist', 'etf'),
    only('process', 'etf', 'dist'),
    only('net', 'handshake', 'dist', 'epmd', 'etf'),
    only('kernel', 'process', 'net', 'etf', 'dist', 'handshake'),
    only('inspect', 'net', 'handshake', 'dist', 'etf'),
    ...services.split('|').map((name) => only(name, 'process', 'etf')),
    only('phoenix', 'pg', 'process', 'etf'),
    {
      name: 'node-is-the-composition-root',
      severity: 'error',
      from: { path: '^src/node/' },
      to: { path: '^src/(cli|dashboard|index)' },
    },
    {
      name: 'cli-and-dashboard-use-the-door',
      severity: 'error',
      from: { path: '^src/(cli|dashboard)/' },
      to: { path: '^src/', pathNot: ['^src/(cli|dashboard)/', '^src/index\\.ts$', leaves] },
    },
    {
      // It runs in browsers: of the dashboard it sees what both sides share.
      name: 'page-sees-what-is-shared',
      severity: 'error',
      from: { path: '^src/dashboard/web/' },
      to: {
        path: '^src/',
        pathNot: [
          '^src/dashboard/web/',
          '^src/dashboard/(protocol|samples|delta|mirror|term-values|units)\\.ts$',
        ],
      },
    },
    {
      name: 'pure-layers-see-no-node-builtin',
      severity: 'error',
      from: { path: `^src/(${pure})/`, pathNot: '^src/etf/(node|web)\\.ts$' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'only-net-opens-sockets',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(net|dashboard)/' },
      to: { dependencyTypes: ['core'], path: '^(node:)?(net|tls|dgram|dns|http|https)$' },
    },
    {
      name: 'no-dev-dependencies-in-src',
      severity: 'error',
      // What the page imports is bundled.
      from: { path: '^src/', pathNot: '^src/dashboard/web/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg'] },
    },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.js'],
      mainFields: ['module', 'main', 'types'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default'],
    },
  },
}
