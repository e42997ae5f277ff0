/**
 * Where the Erlang releases are that tests run against: the host's own, others in chroots (scripts/chroots.sh) or where
 * `BEAMPEER_OTP_27_BIN` and its like say.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { delimiter, dirname, join, resolve } from 'node:path'

/** A program of some OTP release: how to start it, and how many arguments go before its own. */
export interface OtpCommand {
  command: string
  args: readonly string[]
}

/** The release that `startBeam` takes when a test names none: `BEAMPEER_OTP`, else the host's. */
export function defaultRelease(): number {
  const asked = process.env.BEAMPEER_OTP
  return asked === undefined || asked === '' ? hostRelease() : Number(asked)
}

let host: number | undefined

/**
 * The release of the `erl` on the PATH.
 * @throws Error naming the package to install when there is none.
 */
export function hostRelease(): number {
  if (host !== undefined) return host
  const erl = onPath('erl')
  if (erl === undefined) {
    throw new Error(
      'no `erl` on the PATH: install Erlang/OTP (Debian: apt-get install erlang-base erlang-dev)',
    )
  }
  // The file is `<erts version> <release>`; asking a BEAM instead costs a start of one.
  const data = join(dirname(realpathSync(erl)), '..', 'releases', 'start_erl.data')
  host = existsSync(data)
    ? Number(readFileSync(data, 'utf8').trim().split(/\s+/)[1])
    : Number(
        execFileSync(erl, [
          '-noinput',
          '-eval',
          'io:put_chars(erlang:system_info(otp_release)), halt().',
        ]).toString(),
      )
  return host
}

/**
 * How to run `program` (`erl`, `epmd`, `erl_call`, …) of a release.
 * @throws Error saying how to get a release that is not there.
 */
export function otpCommand(program: string, release = defaultRelease()): OtpCommand {
  if (release === hostRelease()) return { command: program, args: [] }
  const directory = process.env[`BEAMPEER_OTP_${release}_BIN`]
  if (directory !== undefined) return { command: join(directory, program), args: [] }
  const root = join(process.env.BEAMPEER_CHROOTS ?? '/var/cache/beampeer', `otp-${release}`)
  if (!existsSync(join(root, '.ok'))) {
    throw new Error(
      `OTP ${release} is neither the host's (${hostRelease()}) nor in ${root}: run scripts/chroots.sh (root on ` +
        `Debian), or set BEAMPEER_OTP_${release}_BIN to the directory that has its erl and epmd`,
    )
  }
  // Mounts do not outlive a restart of the machine; the script mounts only what is not mounted.
  if (!existsSync(join(root, 'proc', 'self'))) {
    execFileSync('bash', [resolve('scripts/chroots.sh'), 'mount', String(release)], { stdio: 'inherit' })
  }
  return { command: 'chroot', args: [root, program] }
}

/** The directories with Elixir's compiled modules, or a reason to install it. */
export function elixirPaths(): string[] {
  const elixir = onPath('elixir')
  if (elixir === undefined) throw new Error('no `elixir` on the PATH (Debian: apt-get install elixir)')
  const root = join(dirname(realpathSync(elixir)), '..', 'lib')
  return ['elixir', 'logger', 'eex'].map((name) => join(root, name, 'ebin'))
}

/** The first file named `program` on the PATH. */
export function onPath(program: string): string | undefined {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .map((directory) => join(directory, program))
    .find((file) => existsSync(file))
}
