/** The results of run.js as Markdown tables. */

const RIVALS = [
  'beampeer',
  'BEAM',
  'BEAM, no busy wait',
  'libei',
  'JInterface',
  'HTTP and JSON',
  'port program',
]

/** @returns {string} */
export function tables({ node, cpu, system, date, releases }) {
  const parts = [
    `Measured on ${date}: Node ${node}, ${cpu}, ${system}. Medians; \`×\` is beampeer against the BEAM in the same run.`,
  ]
  const columns = Object.entries(releases).map(([release, one]) => [`OTP ${release}`, one])
  parts.push('### Goals', goals(Object.fromEntries(columns)))
  for (const [release, { medians, memory, crowds, pressure }] of Object.entries(releases)) {
    parts.push(`### Driven by OTP ${release}`)
    parts.push(
      calls(medians),
      rates(medians),
      large(medians),
      callers(medians),
      resident(memory),
      crowd(crowds),
      pressed(pressure),
    )
  }
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`
}

/**
 * The goals as runs with other releases of Node met them.
 * @param runs results, each of one run
 * @returns {string}
 */
export function comparison(runs) {
  const columns = {}
  for (const { node, releases } of runs) {
    for (const [release, one] of Object.entries(releases)) columns[`Node ${node}, OTP ${release}`] = one
  }
  const [{ date, cpu }] = runs
  return `Measured on ${date}, ${cpu}.\n\n${goals(columns)}\n`
}

/** Of a row that is there to compare with. */
const NO_GOAL = () => true

/** What was aimed at before the first line was written, and what is measured: for each column, with what is short of it. */
function goals(columns) {
  const each = Object.values(columns)
  const rows = []
  const row = (what, unit, isMet, valueOf) => {
    const values = each.map((one) => {
      try {
        return valueOf(one)
      } catch {
        return undefined
      }
    })
    const known = values.filter((value) => Number.isFinite(value))
    if (known.length === 0) return
    const cells = values.map((value) =>
      Number.isFinite(value) ? `${value.toFixed(value < 20 ? 2 : 0)}${unit}` : '–',
    )
    const verdict = known.every(isMet) ? 'met' : known.some(isMet) ? 'met in part' : 'not met'
    rows.push([what, ...cells, isMet === NO_GOAL ? '' : verdict])
  }
  const rate = (what, rival) => (one) => {
    const { beampeer, [rival]: other } = one.medians[what]
    return (beampeer.perSecond ?? beampeer.mbPerSecond) / (other.perSecond ?? other.mbPerSecond)
  }
  const atLeast = (least) => (value) => value >= least
  const atMost = (most) => (value) => value <= most
  for (const kind of ['rpc', 'erpc']) {
    row(`${kind}, 1 in flight: at least 1.0 × a BEAM`, ' ×', atLeast(1), rate(`${kind} 1`, 'BEAM'))
    for (const n of [64, 256]) {
      const what = `${kind} ${n}`
      row(`${kind}, ${n} in flight: at least 1.4 × a BEAM`, ' ×', atLeast(1.4), rate(what, 'BEAM'))
      const cpu = ({ medians }) => medians[what].beampeer.cpuUs / medians[what].BEAM.cpuUs
      row(`… and at most half its CPU a call`, ' ×', atMost(0.5), cpu)
    }
  }
  row('echo, 100 under way: at least 1.0 × a BEAM', ' ×', atLeast(1), rate('echo 100', 'BEAM'))
  for (const size of ['64 KiB', '8 MiB']) {
    row(`${size} binaries in: at least 0.9 × a BEAM`, ' ×', atLeast(0.9), rate(`push ${size}`, 'BEAM'))
    row(`${size} binaries out: at least 1.0 × a BEAM`, ' ×', atLeast(1), rate(`pull ${size}`, 'BEAM'))
  }
  row(
    'the same calls through rex, 64 in flight: at least 0.9 × a libei C node',
    ' ×',
    atLeast(0.9),
    rate('bare_rex 64', 'libei'),
  )
  row('rpc, 64 in flight: at least 7 × HTTP with JSON', ' ×', atLeast(7), ({ medians }) => {
    return medians['rpc 64'].beampeer.perSecond / medians['http 64']['HTTP and JSON'].perSecond
  })
  const slowed =
    (way, who) =>
    ({ medians }) =>
      medians[`during ${way}`][who].p99 / medians[`during ${way}`][who].idle_p99
  for (const [way, they] of [
    ['pull', 'leave'],
    ['push', 'come'],
  ]) {
    const what = `p99 of small calls while 100 MiB ${they}: at most 5 × the idle one`
    row(what, ' ×', atMost(5), slowed(way, 'beampeer'))
    row('… with a BEAM in its place', ' ×', NO_GOAL, slowed(way, 'BEAM'))
  }
  row('… from a BEAM with a short queue', ' ×', NO_GOAL, slowed('push, short queue', 'beampeer'))
  row(
    'resident after the load: less than 120 MiB',
    ' MiB',
    atMost(120),
    ({ memory }) => memory.beampeer.loaded,
  )
  row('… twelve idle seconds later', ' MiB', atMost(120), ({ memory }) => memory.beampeer.later)
  row('an idle peer: less than 50 KB', ' KiB', atMost(49), ({ crowds }) => residentOf(crowds.at(-1)))
  row('calls/s beside 1,000 idle peers: as without (0.95 or more)', ' ×', atLeast(0.95), ({ crowds }) => {
    const { perSecond, none } = crowds.at(-1)
    return perSecond / none.perSecond
  })
  return table(['goal', ...Object.keys(columns), ''], rows)
}

function table(head, rows) {
  if (rows.length === 0) return ''
  const line = (cells) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

const thousands = (value) => (value === undefined ? '–' : `${(value / 1000).toFixed(1)} k`)
const times = (own, other) =>
  own === undefined || other === undefined ? '–' : `${(own / other).toFixed(2)} ×`
const us = (value) => (value === undefined ? '–' : value.toFixed(0))

/** The contestants that any of these measurements has. */
function present(medians, whats) {
  return RIVALS.filter((who) => whats.some((what) => medians[what]?.[who] !== undefined))
}

function calls(medians) {
  const kinds = ['rpc', 'erpc', 'rex', 'bare_rex', 'http', 'port']
  const whats = kinds
    .flatMap((kind) => [1, 16, 64, 256].map((n) => `${kind} ${n}`))
    .filter((what) => what in medians)
  const rows = []
  for (const what of whats) {
    const [kind, n] = what.split(' ')
    const beam = medians[what].BEAM
    for (const who of present(medians, [what])) {
      const { perSecond, p50, p99, cpuUs } = medians[what][who]
      rows.push([
        kind,
        n,
        who,
        thousands(perSecond),
        times(perSecond, beam?.perSecond),
        us(p50),
        us(p99),
        cpuUs.toFixed(1),
      ])
    }
  }
  return table(
    ['call', 'in flight', 'target', 'calls/s', 'to BEAM', 'p50 µs', 'p99 µs', 'CPU µs a call'],
    rows,
  )
}

function rates(medians) {
  const rows = []
  for (const what of ['echo 1', 'echo 100'].filter((one) => one in medians)) {
    const beam = medians[what].BEAM
    for (const who of present(medians, [what])) {
      const { perSecond, cpuUs } = medians[what][who]
      const label = what === 'echo 1' ? 'echo, one at a time' : 'echo, 100 under way'
      rows.push([
        label,
        who,
        `${thousands(perSecond)}/s`,
        times(perSecond, beam.perSecond),
        `${cpuUs.toFixed(1)} µs each`,
      ])
    }
  }
  for (const what of Object.keys(medians).filter((one) => /^(push|pull|burst) /.test(one))) {
    const beam = medians[what].BEAM
    for (const who of present(medians, [what])) {
      const { mbPerSecond, cpuUsPerMb } = medians[what][who]
      const label = LABELS[what.split(' ')[0]](what.replace(/^\w+ /, ''))
      rows.push([
        label,
        who,
        `${us(mbPerSecond)} MB/s`,
        times(mbPerSecond, beam.mbPerSecond),
        `${us(cpuUsPerMb)} µs a MB`,
      ])
    }
  }
  return table(['messages', 'target', 'rate', 'to BEAM', 'CPU'], rows)
}

const LABELS = {
  push: (size) => `${size} binaries to the target`,
  pull: (size) => `${size} binaries from the target`,
  burst: (size) => `${size} binaries to the target, 200 MB after a pause`,
}

function large(medians) {
  const rows = []
  for (const [way, label] of Object.entries({
    push: 'to the target',
    'push, short queue': 'to the target, short queue',
    'push, another node': 'to the target, calls of another node',
    pull: 'from the target',
  })) {
    for (const [who, facts] of Object.entries(medians[`during ${way}`] ?? {})) {
      const { idle_p50: idle, idle_p99: idle99, p50, p99, move_us: moved, count } = facts
      rows.push([
        label,
        who,
        us(idle),
        us(idle99),
        us(p50),
        us(p99),
        times(p99, idle99),
        `${us(moved / 1000)} ms`,
        Math.round(count),
      ])
    }
  }
  const head = [
    '100 MiB message',
    'target',
    'idle p50 µs',
    'idle p99',
    'p50 meanwhile',
    'p99 meanwhile',
    'p99 to idle',
    'it took',
    'calls meanwhile',
  ]
  return table(head, rows)
}

function callers(medians) {
  const rows = []
  for (const n of [1, 16, 64, 256]) {
    const of = medians[`caller ${n}`]
    if (of === undefined) continue
    for (const who of ['beampeer', 'BEAM']) {
      const { perSecond, p50, p99, cpuUs } = of[who]
      rows.push([
        n,
        who,
        thousands(perSecond),
        times(perSecond, of.BEAM.perSecond),
        us(p50),
        us(p99),
        cpuUs.toFixed(1),
      ])
    }
  }
  const head = [
    'erpc to a BEAM, in flight',
    'caller',
    'calls/s',
    'to BEAM',
    'p50 µs',
    'p99 µs',
    'CPU µs a call, of the caller',
  ]
  return table(head, rows)
}

function resident(memory) {
  return table(
    ['target', 'resident MiB right after all this', 'twelve idle seconds later'],
    Object.entries(memory).map(([who, { loaded, later }]) => [who, us(loaded), us(later)]),
  )
}

function pressed(pressure) {
  if (pressure === undefined) return ''
  const { idle, stopped, unread } = pressure
  const total = unread.reduce((sum, { count }) => sum + count, 0)
  return table(
    ['a fresh node', 'resident MiB'],
    [
      ['after some calls', us(idle)],
      ['its peer stopped (SIGSTOP) while it sends, heeding `send` and `writable`', us(stopped)],
      [
        `a peer has sent for ${unread.length} s to a process that reads nothing (${thousands(total)} messages of 1 kB were taken)`,
        us(unread.at(-1).rss),
      ],
    ],
  )
}

function residentOf({ size, rss, none }) {
  return ((rss - none.rss) * 1024) / size
}

function crowd(crowds) {
  const rows = crowds.map((one) => [
    one.size,
    thousands(one.none.perSecond),
    thousands(one.perSecond),
    times(one.perSecond, one.none.perSecond).replace(' ×', ''),
    us(one.none.p99),
    us(one.p99),
    us(one.rss),
    `${((one.heap - one.none.heap) / one.size / 1024).toFixed(1)}`,
    `${residentOf(one).toFixed(1)}`,
  ])
  const head = [
    'idle peers',
    'erpc/s at 64 without',
    'with',
    'to without',
    'p99 µs without',
    'with',
    'resident MiB',
    'heap KiB a peer',
    'resident KiB a peer',
  ]
  return table(head, rows)
}
