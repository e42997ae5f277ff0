// Jest runs this once before the tests in test/beam. The host's Erlang and Elixir must be there: they are installed
// where that is possible, else no test runs. So are the other OTP releases; where those cannot be installed, the tests
// that ask for one fail, and say so.
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

function script(name) {
  const file = fileURLToPath(new URL(name, import.meta.url))
  execFileSync('bash', [file], { stdio: ['ignore', 'inherit', 'inherit'] })
}

export default function setup() {
  script('install-otp.sh')
  try {
    script('chroots.sh')
  } catch {
    console.error('Tests that need another OTP release than the one of this machine will fail.')
  }
}
