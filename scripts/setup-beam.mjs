// Jest runs this once before the tests in test/beam: Erlang/OTP must be there, and the release under test.
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const script = (name, ...args) =>
  execFileSync('bash', [fileURLToPath(new URL(name, import.meta.url)), ...args], {
    stdio: ['ignore', 'inherit', 'inherit'],
  })

export default function setup() {
  script('install-otp.sh')
  const release = process.env.BEAMPEER_OTP ?? ''
  if (release === '') return
  if (!/^\d+$/.test(release))
    throw new Error(`BEAMPEER_OTP must be an OTP release such as 27, not ${release}`)
  // Without leave to install, the kit says which release is missing and where it looked.
  if (process.env.BEAMPEER_INSTALL !== '0') script('chroots.sh', 'install', release)
}
