/** Runs the built `beampeer` command, as users do; builds it first when the source is newer. */
import { execFileSync } from 'node:child_process'
import { resolve } from 'node:path'
import { run, start, type RunOptions, type RunningProcess } from './process.js'

let built = false

/** Builds lib unless it is newer than the source. */
export function build(): void {
  if (!built)
    execFileSync(process.execPath, [resolve('scripts/build-if-needed.mjs'), '--run'], { stdio: 'inherit' })
  built = true
}

function main(): string {
  build()
  return resolve('lib/cli/main.cjs')
}

/** Its environment: nothing of the user's cookie or EPMD gets in unless a test says so. */
function isolated(options: RunOptions): RunOptions {
  return {
    ...options,
    env: {
      HOME: '/nonexistent',
      XDG_CONFIG_HOME: undefined,
      BEAMPEER_COOKIE: undefined,
      ERL_EPMD_PORT: undefined,
      ERL_EPMD_ADDRESS: undefined,
      ERL_EPMD_RELAXED_COMMAND_CHECK: undefined,
      ...options.env,
    },
  }
}

/** Runs a command to its end. */
export function cli(args: readonly string[], options: RunOptions = {}): ReturnType<typeof run> {
  return run(process.execPath, [main(), ...args], isolated(options))
}

/** Starts a command that runs on. */
export function startCli(args: readonly string[], options: RunOptions = {}): Promise<RunningProcess> {
  return start(process.execPath, [main(), ...args], isolated(options))
}
