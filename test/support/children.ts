/**
 * Every process that a test starts goes through here, so that none outlives its test file: what still runs is
 * killed in `afterAll` and when this process exits, and whatever was started indirectly (an EPMD that `erl` put in
 * the background, say) is found by a mark in its environment.
 */
import { randomUUID } from 'node:crypto'
import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'

/** The name of the environment variable by which a process started here, and its descendants, are recognised. */
export const MARK = 'BEAMPEER_TEST_MARK'

/** One value per test file: jest loads this module anew for each. */
const mark = randomUUID()
const running = new Set<ChildProcess>()
const closers: (() => unknown)[] = []

/** Starts a process that ends with the test file. Rejects when the program cannot be started. */
export async function spawnTracked(
  command: string,
  args: readonly string[],
  options: SpawnOptions,
): Promise<ChildProcess> {
  const child = spawn(command, args, {
    ...options,
    env: { ...(options.env ?? process.env), [MARK]: mark },
  })
  running.add(child)
  child.once('exit', () => running.delete(child))
  try {
    await once(child, 'spawn')
  } catch (error) {
    running.delete(child)
    throw error
  }
  return child
}

/** Runs `close` in `afterAll`, before what still runs is killed: for nodes and servers inside the test's process. */
export function closeAtEnd(close: () => unknown): void {
  closers.push(close)
}

/** Sends SIGKILL to every process started here that still runs, suspended ones too, and waits until they are gone. */
export async function killEverything(): Promise<void> {
  for (const close of closers.splice(0).reverse()) await close()
  const gone = [...running].map((child) => once(child, 'exit'))
  for (const child of running) child.kill('SIGKILL')
  await Promise.all(gone)
}

/** Processes (id and command line) that carry this test file's mark and still run. On Linux; elsewhere none. */
export function leftovers(): string[] {
  const found: string[] = []
  for (const pid of processIds()) {
    try {
      if (!readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`${MARK}=${mark}`)) continue
      const state = /^\d+ \(.*\) (\S)/s.exec(readFileSync(`/proc/${pid}/stat`, 'latin1'))?.[1]
      if (state === 'Z' || state === 'X') continue
      found.push(
        `${pid} ${readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ').trim().slice(0, 200)}`,
      )
    } catch {
      // It ended while we looked, or belongs to somebody else.
    }
  }
  return found
}

/**
 * Throws when a process started by this test file still runs. A helper of a BEAM (`erl_child_setup`) ends a moment
 * after it, so the check is repeated until it holds or five seconds have gone; what is then left is killed.
 */
export async function expectNothingLeft(): Promise<void> {
  const deadline = Date.now() + 5_000
  let left = leftovers()
  while (left.length > 0 && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 20))
    left = leftovers()
  }
  if (left.length === 0) return
  for (const line of left) {
    try {
      process.kill(parseInt(line, 10), 'SIGKILL')
    } catch {
      // Gone in the meantime.
    }
  }
  throw new Error(`processes left behind by this test:\n${left.join('\n')}`)
}

const given = new Set<number>()

/**
 * A TCP port that nothing listens on. Taken from below the range that systems use for outgoing connections, so that
 * none of those grabs it before the test does.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 1_000; attempt++) {
    const port = 12_000 + Math.floor(Math.random() * 20_000)
    if (given.has(port) || !(await isFree(port))) continue
    given.add(port)
    return port
  }
  throw new Error('no free TCP port between 12000 and 31999')
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  return new Promise((resolve) => {
    server.once('error', () => resolve(false))
    server.listen(port, () => server.close(() => resolve(true)))
  })
}

/** Whether something on this machine accepts TCP connections on a port. */
export async function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

/**
 * Waits until `check` answers something other than `false` or `undefined`, trying again and again; for conditions
 * that announce themselves by no event. Throws, with the last answer or error, after `timeoutMs`.
 */
export async function until<T>(
  check: () => T | Promise<T>,
  options: { timeoutMs?: number; what?: string } = {},
): Promise<Exclude<T, false | undefined>> {
  const { timeoutMs = 20_000, what = 'condition' } = options
  const deadline = Date.now() + timeoutMs
  for (;;) {
    let last: unknown
    try {
      const answer = await check()
      if (answer !== false && answer !== undefined) return answer as Exclude<T, false | undefined>
      last = answer
    } catch (error) {
      last = error
    }
    if (Date.now() > deadline) {
      throw new Error(`${what} did not come true within ${timeoutMs} ms; last: ${String(last)}`, {
        cause: last,
      })
    }
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

function processIds(): string[] {
  try {
    return readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))
  } catch {
    return []
  }
}

// A test that fails, a test file that throws and a runner that is stopped all pass here.
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})
if (typeof afterAll === 'function') {
  afterAll(async () => {
    await killEverything()
    await expectNothingLeft()
  }, 30_000)
}
