/**
 * The node of a short-lived command: hidden, named by the first node it connects to (so that thousands of calls leave
 * no trail of atoms there), listening nowhere, registered nowhere.
 */
import { ErlangNode } from '../index.js'
import { cookieOption, type CookieOptions } from './cookie.js'
import { log } from './log.js'

/** Runs `use` with such a node and stops it afterwards. */
export async function withToolNode<T>(
  options: CookieOptions,
  use: (node: ErlangNode) => Promise<T>,
): Promise<T> {
  const node = await ErlangNode.start(undefined, {
    createCookie: false,
    logger: { ...log, info: () => undefined },
    ...(await cookieOption(options)),
  })
  try {
    return await use(node)
  } finally {
    await node.stop()
  }
}
