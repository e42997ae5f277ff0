import { WaitTrials } from '../../../src/net/wait-trials.js'

/** What comes in a millisecond with each length, and what processor time each of it costs. */
type Outcome = [rate: number, cpuMsEach: number]

const STEP_MS = 3

/** Under load until a trial was made. */
function trial(trials: WaitTrials, outcomes: readonly Outcome[]): { heldMs: number; tried: number[] } {
  const tried: number[] = []
  const current = trials.current
  let heldMs = 0
  // What holds is counted once more when the trial begins.
  while (trials.holding) {
    expect(trials.current).toBe(current)
    trials.counted(outcomes[current][0], 1, 0)
    heldMs++
  }
  while (!trials.holding) {
    const [rate, cpuMsEach] = outcomes[trials.current]
    tried.push(trials.current)
    trials.counted(rate * STEP_MS, STEP_MS, rate * STEP_MS * cpuMsEach)
  }
  return { heldMs, tried }
}

function chosen(...outcomes: Outcome[]): number {
  const trials = new WaitTrials(outcomes.map((_, i) => i))
  trial(trials, outcomes)
  return trials.current
}

const FIRST: Outcome[] = [
  [200, 0.01],
  [100, 0.01],
]
const SECOND: Outcome[] = [
  [100, 0.01],
  [900, 0.01],
]

describe('trials of waits', () => {
  test('all are tried, by turns, that which is used first', () => {
    const same: Outcome[] = [
      [100, 0.01],
      [100, 0.01],
      [100, 0.01],
    ]
    expect(trial(new WaitTrials([0, 1, 2]), same).tried).toEqual([0, 1, 2, 0, 1, 2])
    expect(trial(new WaitTrials([0, 1, 2], 1), same).tried).toEqual([1, 2, 0, 1, 2, 0])
  })

  test.each<[string, Outcome[], number]>([
    [
      'where as much comes, which takes least processor time',
      [
        [100, 0.01],
        [100, 0.005],
        [100, 0.004],
      ],
      2,
    ],
    [
      'nearly as much, for a little less processor time',
      [
        [100, 0.01],
        [96, 0.009],
      ],
      1,
    ],
    [
      'not a tenth less: answers would be late',
      [
        [100, 0.01],
        [84, 0.0001],
        [89, 0.0001],
      ],
      0,
    ],
    [
      'nearly a tenth less',
      [
        [100, 0.01],
        [91, 0.0001],
      ],
      1,
    ],
    [
      'much more, though each takes more processor time',
      [
        [100, 0.01],
        [140, 0.02],
      ],
      1,
    ],
    [
      'what was chosen before, unless another takes a twentieth less',
      [
        [100, 0.01],
        [100, 0.0096],
      ],
      0,
    ],
    [
      'another that does',
      [
        [100, 0.01],
        [100, 0.0095],
      ],
      1,
    ],
    [
      'what was chosen before, with a little less',
      [
        [100, 0.01],
        [110, 0.011],
      ],
      0,
    ],
    [
      'by what comes alone, where the clock of processor time does not tick',
      [
        [100, 0],
        [90, 0],
        [110, 0],
      ],
      2,
    ],
  ])('chosen is: %s', (_what, outcomes, wanted) => {
    expect(chosen(...outcomes)).toBe(wanted)
  })

  test('with which far less comes is tried once, not twice', () => {
    const outcomes: Outcome[] = [
      [100, 0.01],
      [74, 0.01],
      [76, 0.01],
    ]
    expect(trial(new WaitTrials([0, 1, 2]), outcomes).tried).toEqual([0, 1, 2, 0, 2])
  })

  test('what gathers nothing is not tried to its end, and not chosen, whatever came before', () => {
    const trials = new WaitTrials([0, 1])
    trial(trials, SECOND)
    expect(trials.current).toBe(1)
    while (trials.holding) trials.counted(900, 1, 0)
    trials.inVain()
    expect(trials.current).toBe(0)
    trials.counted(300, STEP_MS, 3)
    expect(trials.current).toBe(0)
    trials.counted(300, STEP_MS, 3)
    expect([trials.holding, trials.current]).toEqual([true, 0])
  })

  test('while a choice holds, and it gathers nothing three times in a row: none, for 12 ms', () => {
    const trials = new WaitTrials([0, 1])
    trial(trials, SECOND)
    trials.inVain()
    trials.inVain()
    trials.counted(300, 1, 3)
    trials.inVain()
    trials.inVain()
    expect([trials.holding, trials.current]).toEqual([true, 1])
    trials.inVain()
    expect([trials.holding, trials.current]).toEqual([true, 0])
    expect(trial(trials, SECOND)).toEqual({ heldMs: 12, tried: [0, 1, 1] })
    trials.inVain()
    expect(trials.current).toBe(1)
  })

  test('the first trial is at once, or after 48 ms of what is taken for the best', () => {
    expect(trial(new WaitTrials([0, 1]), FIRST).heldMs).toBe(1)
    expect(trial(new WaitTrials([0, 1], 1), FIRST).heldMs).toBe(48)
  })

  test('a choice holds for 48 ms of load, and up to 400 when it is made again and again', () => {
    const trials = new WaitTrials([0, 1])
    const holds = (outcomes: Outcome[]): number => trial(trials, outcomes).heldMs
    expect([1, 2, 3, 4, 5, 6].map(() => holds(FIRST))).toEqual([1, 48, 96, 192, 384, 400])
    expect([1, 2, 3].map(() => holds(SECOND))).toEqual([400, 48, 96])
  })

  test('one trial that something else disturbed does not change the choice, several do', () => {
    const trials = new WaitTrials([0, 1])
    const better: Outcome[] = [
      [100, 0.01],
      [140, 0.01],
    ]
    const disturbed: Outcome[] = [
      [100, 0.01],
      [80, 0.01],
    ]
    for (let i = 0; i < 4; i++) trial(trials, better)
    trial(trials, disturbed)
    expect(trials.current).toBe(1)
    for (let i = 0; i < 4; i++) trial(trials, disturbed)
    expect(trials.current).toBe(0)
  })

  test('an abandoned trial chooses nothing; the next begins with the next load', () => {
    const trials = new WaitTrials([0, 1])
    trials.counted(100, 1, 1)
    trials.counted(300, STEP_MS, 3)
    expect([trials.holding, trials.current]).toEqual([false, 1])
    trials.abandon()
    expect([trials.holding, trials.current]).toEqual([true, 0])
    expect(trial(trials, SECOND)).toEqual({ heldMs: 1, tried: [0, 1, 1] })
  })
})
