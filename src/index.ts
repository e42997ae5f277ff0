/** The public door of beampeer: explicit named exports, nothing else. */
export { ErlangNode } from './node/erlang-node.js'
export { Gen } from './gen/gen.js'
export { GenRequest, type GenCallOptions, type ServerRef } from './gen/client.js'
export { GenCallError } from './gen/errors.js'
export { GenServer, NO_REPLY, Stop, stopWith, type HandlerResult } from './gen/server.js'
export type { Sys } from './gen/sys.js'
export { readGenMessage, type GenFrom, type GenMessage } from './process/gen-reply.js'
export { NetKernel } from './node/net-kernel.js'
export type { Address, NodeOptions, Resolve } from './node/options.js'
export { checkCookie, CookieError, readCookieFile, usualCookie } from './node/cookie-file.js'
export type { Logger, NodeInfo, NodesType } from './kernel/kernel.js'
export type { KeepConnectedOptions, KeptConnection } from './kernel/keep-connected.js'
export type { NetKernelState } from './kernel/net-kernel.js'
export type { NodeMessageOptions } from './kernel/node-events.js'
export type { SetTicktimeResult } from './kernel/ticktime.js'
export { parseNodeName, type NodeName } from './kernel/node-name.js'
export type { MonitorNodesOptions, NodeEvent, NodeSubscription } from './kernel/node-monitor.js'
export type { NameOnNode } from './process/address.js'
export type { Destination, SpawnOptions } from './process/host.js'
export type { AliasMode, AliasOptions, MonitorOptions, Process, SendOptions } from './process/process.js'
export type { Monitorable } from './process/watching.js'
export type { ReceiveOptions } from './process/mailbox.js'
export type { CallEvent, ConnectionEvent, DropEvent, ServedEvent } from './process/diagnostics.js'
export type { Io } from './process/io.js'
export { ErlangError, type ErrorClass } from './process/erlang-error.js'
export type { ExposedModule } from './node/expose-file.js'
export { withArity, withContext, withOptions } from './rex/exposed.js'
export type {
  Arity,
  CallLimits,
  ExposedEntry,
  ExposeOptions,
  Fallback,
  FunctionOptions,
} from './rex/exposed.js'
export type { CallContext } from './rex/context.js'
export type { CallOptions, Output } from './rex/calls.js'
export type { CallResult, Erpc } from './rex/erpc.js'
export type { EmitOptions, EmitTarget } from './rex/emit.js'
export { exportFun, RemoteNode } from './rex/remote-node.js'
export type { AnyFunctions, BatchCall, RemoteModule } from './rex/remote-node.js'
export { RequestId, RequestIds } from './rex/request-ids.js'
export type {
  LabelledResponse,
  ReceiveOptions as ResponseOptions,
  Response as CallResponse,
} from './rex/request-ids.js'
export type { Rpc, ServerCallOptions } from './rex/rpc.js'
export type { ServerReplies } from './rex/servers.js'
export { BadRpcError, ErpcError, RemoteError } from './rex/errors.js'
export type { GlobalNames, LockOptions, RegisterOptions } from './global/global-names.js'
export type { ResolveFunction, ResolveMethod } from './global/resolver.js'
export type { GroupChange, Members, ProcessGroups } from './pg/process-groups.js'
export type { Membership } from './pg/wire.js'
export { PhoenixPubSub } from './phoenix/pub-sub.js'
export type { BroadcastOptions, PubSubListener, PubSubMessage, PubSubOptions } from './phoenix/pub-sub.js'
export { WireInspector, type InspectorOptions, type WireEvent, type WireSide } from './inspect/inspector.js'
export {
  readRecording,
  recordingHead,
  recordingLine,
  replay,
  type RecordedPiece,
} from './inspect/recording.js'
export { startRelay, type Relay, type RelayOptions } from './inspect/relay.js'
export { EpmdServer } from './net/epmd-server.js'
export { epmdLookup, epmdNames, type EpmdQueryOptions } from './net/epmd-client.js'
export type { EpmdName, EpmdNode } from './epmd/messages.js'
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
