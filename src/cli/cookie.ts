/** The cookie that a command line names. */

import { readCookieFile } from '../index.js'

export interface CookieOptions {
  cookie?: string
  cookieFile?: string
}

/** What to start a node with: nothing when the node is to find the cookie itself. Throws CookieError. */
export async function cookieOption(options: CookieOptions): Promise<{ cookie?: string }> {
  if (options.cookie !== undefined) return { cookie: options.cookie }
  if (options.cookieFile === undefined) return {}
  return { cookie: await readCookieFile(options.cookieFile) }
}
