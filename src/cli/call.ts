/** `beampeer call`: one `rpc:call`, its result printed as a term. */
import { ArgumentError } from '../errors.js'
import { parse, print } from '../index.js'
import { connectWithin } from './connect.js'
import type { CookieOptions } from './cookie.js'
import { toJson } from './json.js'
import { write, writeLine } from './output.js'
import { waitingFor } from './progress.js'
import { withToolNode } from './tool-node.js'

export interface CallCommandOptions extends CookieOptions {
  /** Milliseconds. */
  timeout?: number
  elixir?: true
  json?: true
}

export async function callCommand(
  nodeName: string,
  module: string,
  name: string,
  argumentText: string,
  options: CallCommandOptions,
): Promise<void> {
  const args = parse(argumentText)
  if (!Array.isArray(args)) {
    throw new ArgumentError(
      'BAD_ARGUMENT',
      `the arguments must be an Erlang list, such as '[1, 2]': ${argumentText}`,
    )
  }
  const result = await withToolNode(options, async (node) => {
    const timeoutMs = await connectWithin(node, nodeName, options.timeout)
    using _ = waitingFor(`waiting for ${nodeName}`)
    return await node.rpc.call(nodeName, module, name, args, {
      output: write,
      ...(timeoutMs !== undefined && { timeoutMs }),
    })
  })
  if (options.json === true) writeLine(toJson(result))
  else writeLine(print(result, { flavour: options.elixir ? 'elixir' : 'erlang', printable: 'unicode' }))
}
