/**
 * The cookie where `erl` looks for it (OTP's auth.erl): `$HOME/.erlang.cookie`, then
 * `$XDG_CONFIG_HOME/erlang/.erlang.cookie`; its owner's only, one line.
 */
import { randomInt } from 'node:crypto'
import fs from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { BeampeerError } from '../errors.js'

/** The cookie file cannot be used: `COOKIE_NOT_FOUND`, `COOKIE_FILE_UNREADABLE`, `COOKIE_FILE_LOOSE`, `COOKIE_BAD`. */
export class CookieError extends BeampeerError {
  readonly file: string

  constructor(code: string, file: string, message: string, options: { cause?: unknown } = {}) {
    super(code, message, options)
    this.file = file
  }
}

type Environment = Readonly<Record<string, string | undefined>>

/** Files that may hold the cookie, in OTP's order. */
export function cookieFiles(env: Environment = process.env): string[] {
  const home = env['HOME'] ?? homedir()
  const config = env['XDG_CONFIG_HOME'] ?? join(home, '.config')
  return [join(home, '.erlang.cookie'), join(config, 'erlang', '.erlang.cookie')]
}

/**
 * Reads a cookie file.
 * @throws CookieError when others than its owner can reach it (any mode but 0400 and 0600), or it is no cookie
 */
export async function readCookieFile(file: string): Promise<string> {
  let mode: number
  let text: string
  try {
    mode = (await fs.promises.stat(file)).mode
    text = await fs.promises.readFile(file, 'latin1')
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT'
    throw new CookieError(
      missing ? 'COOKIE_NOT_FOUND' : 'COOKIE_FILE_UNREADABLE',
      file,
      missing
        ? `there is no cookie file ${file}`
        : `the cookie file ${file} cannot be read: ${(cause as Error).message}`,
      { cause },
    )
  }
  if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
    throw new CookieError(
      'COOKIE_FILE_LOOSE',
      file,
      `others than its owner can reach the cookie file ${file}: chmod 400 it`,
    )
  }
  const [line = '', ...rest] = text.split('\n')
  const cookie = line.trim()
  if (rest.some((more) => more.trim() !== ''))
    throw new CookieError('COOKIE_BAD', file, `the cookie file ${file} has more than one line`)
  return checkCookie(cookie, file)
}

/** @throws CookieError `COOKIE_BAD` for what cannot be a cookie */
export function checkCookie(cookie: string, where: string): string {
  if (typeof cookie !== 'string')
    throw new CookieError('COOKIE_BAD', where, `the cookie of ${where} is no text`)
  if (cookie === '') throw new CookieError('COOKIE_BAD', where, `the cookie of ${where} is empty`)
  if (cookie.length > 255)
    throw new CookieError('COOKIE_BAD', where, `the cookie of ${where} has more than 255 characters`)
  if (/[^\x20-\x7e]/.test(cookie)) {
    throw new CookieError(
      'COOKIE_BAD',
      where,
      `the cookie of ${where} has characters other than printable ASCII`,
    )
  }
  return cookie
}

/**
 * The cookie that `erl` would use. With `create`, a missing file is made with a random cookie, as a BEAM does when it
 * starts.
 */
export async function usualCookie(options: { env?: Environment; create?: boolean } = {}): Promise<string> {
  const files = cookieFiles(options.env)
  for (const file of files) {
    try {
      return await readCookieFile(file)
    } catch (error) {
      if (!(error instanceof CookieError) || error.code !== 'COOKIE_NOT_FOUND') throw error
    }
  }
  const file = files[0] as string
  if (options.create !== true) {
    throw new CookieError(
      'COOKIE_NOT_FOUND',
      file,
      `no cookie: give one, set BEAMPEER_COOKIE, or make ${file} (mode 0400)`,
    )
  }
  return createCookieFile(file)
}

async function createCookieFile(file: string): Promise<string> {
  const cookie = Array.from({ length: 20 }, () => String.fromCharCode(65 + randomInt(26))).join('')
  let handle
  try {
    handle = await fs.promises.open(file, 'wx', 0o400)
  } catch (cause) {
    // Another node made it at the same moment: that one counts.
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return readCookieFile(file)
    throw new CookieError(
      'COOKIE_FILE_UNREADABLE',
      file,
      `the cookie file ${file} cannot be made: ${(cause as Error).message}`,
      { cause },
    )
  }
  try {
    await handle.writeFile(cookie)
  } finally {
    await handle.close()
  }
  await fs.promises.chmod(file, 0o400)
  return cookie
}
