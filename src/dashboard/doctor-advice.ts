/** What the doctor finds, and what to do about it where the code of an error says which it is. */
import type { CookieError } from '../index.js'

/** What can be wrong. Stable words. */
export type Finding =
  | 'bad-name'
  | 'name-domain'
  | 'cookie-missing'
  | 'cookie-unreadable'
  | 'cookie-loose'
  | 'cookie-bad'
  | 'host-unknown'
  | 'epmd-unreachable'
  | 'epmd-silent'
  | 'epmd-strange'
  | 'not-registered'
  | 'too-old'
  | 'port-refused'
  | 'port-silent'
  | 'tls-required'
  | 'wrong-cookie'
  | 'not-allowed'
  | 'already-connected'
  | 'missing-flags'
  | 'wrong-name'
  | 'no-answer'
  | 'handshake-failed'
  | 'ticktime-differs'
  /** Something else: the text tells. */
  | 'other'

/** By the code of an error of the handshake. */
export const HANDSHAKE_ADVICE: Readonly<Record<string, readonly [Finding, string]>> = {
  HANDSHAKE_BAD_COOKIE: [
    'wrong-cookie',
    'Use the cookie of that node (erlang:get_cookie() there): --cookie-file, BEAMPEER_COOKIE, or ~/.erlang.cookie.',
  ],
  HANDSHAKE_NOT_ALLOWED: [
    'not-allowed',
    'That node accepts only those it was told to: net_kernel:allow/1 there adds nodes or hosts.',
  ],
  HANDSHAKE_MISSING_FLAGS: [
    'missing-flags',
    'That node lacks what OTP 23 and later have: upgrade it, or look up the flags in docs/handshake.md.',
  ],
}

export function cookieAdvice(error: CookieError): readonly [Finding, string] {
  switch (error.code) {
    case 'COOKIE_NOT_FOUND':
      return [
        'cookie-missing',
        `Copy the cluster's cookie to ${error.file} (mode 0400), or set BEAMPEER_COOKIE.`,
      ]
    case 'COOKIE_FILE_LOOSE':
      return ['cookie-loose', `chmod 400 ${error.file}`]
    case 'COOKIE_FILE_UNREADABLE':
      return ['cookie-unreadable', `Make ${error.file} a file that you own and can read, mode 0400.`]
    default:
      return ['cookie-bad', 'A cookie is one line of 1 to 255 printable ASCII characters.']
  }
}
