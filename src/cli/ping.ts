/** `beampeer ping`: `net_adm:ping/1`, with the reason for a pang. */
import type { CookieOptions } from './cookie.js'
import { fail } from './report.js'
import { withToolNode } from './tool-node.js'

export async function pingCommand(nodeName: string, options: CookieOptions): Promise<void> {
  await withToolNode(options, async (node) => {
    try {
      // A connection is what ping asks for; making it first tells why there is none.
      await node.dial(nodeName)
    } catch (error) {
      console.log('pang')
      fail(error)
      return
    }
    const answer = await node.ping(nodeName)
    console.log(answer)
    if (answer !== 'pong') process.exitCode = 1
  })
}
