/** The public door of beampeer: explicit named exports, nothing else. */
export { ErlangNode, type Erpc, type Rpc } from './node/erlang-node.js'
export type { Address, NodeOptions, Resolve } from './node/options.js'
export { checkCookie, CookieError, readCookieFile, usualCookie } from './node/cookie-file.js'
export type { Logger, NodesType } from './kernel/kernel.js'
export { parseNodeName, type NodeName } from './kernel/node-name.js'
export type { MonitorNodesOptions, NodeEvent, NodeSubscription } from './kernel/node-monitor.js'
export type { Destination, SpawnOptions } from './process/host.js'
export type { AliasMode, MonitorOptions, Process } from './process/process.js'
export type { ReceiveOptions } from './process/mailbox.js'
export type { Io } from './process/io.js'
export { ErlangError, type ErrorClass } from './process/erlang-error.js'
export { withArity, withContext, type Arity, type ExposeOptions } from './rex/exposed.js'
export type { CallContext } from './rex/context.js'
export type { CallOptions, CallResult } from './rex/client.js'
export { BadRpcError, ErpcError, RemoteError } from './rex/errors.js'
export { EpmdServer } from './net/epmd-server.js'
export { epmdNames } from './net/epmd-client.js'
export type { EpmdMode } from './net/epmd-service.js'
export * from './etf/node.js'
export {
  ArgumentError,
  BeampeerError,
  DistError,
  EpmdError,
  EtfError,
  HandshakeError,
  NodeError,
} from './errors.js'
export { DEFAULT_LIMITS, type Limits } from './limits.js'
