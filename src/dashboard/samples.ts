/**
 * What the probe reads of BEAM nodes, as plain data: numbers, text, lists and objects only, so that a sample is the same
 * in JSON, in MessagePack and in a browser. Words and units are OTP's; where OTP counts words of memory, bytes are given.
 * Pids are text as their own node prints them (`<0.123.0>`), functions `module:name/arity`, other terms as printed.
 */

/** Used and allowed; `percent` of 100, two decimals. */
export interface LimitSample {
  readonly used: number
  readonly limit: number
  readonly percent: number
}

/** `erlang:memory/0`, in bytes. */
export interface MemorySample {
  readonly total: number
  readonly processes: number
  readonly processesUsed: number
  readonly system: number
  readonly atom: number
  readonly atomUsed: number
  readonly binary: number
  readonly code: number
  readonly ets: number
}

/** What only grows while a node runs: `erlang:statistics/1`. */
export interface CounterSample {
  readonly reductions: number
  readonly inputBytes: number
  readonly outputBytes: number
  readonly garbageCollections: number
  readonly reclaimedBytes: number
  readonly contextSwitches: number
  /** CPU time of all threads. */
  readonly runtimeMs: number
  readonly wallClockMs: number
}

/** The growth of {@link CounterSample} since the sample before, for each second. `cpu` 1 is one core. */
export interface RateSample {
  readonly reductions: number
  readonly inputBytes: number
  readonly outputBytes: number
  readonly garbageCollections: number
  readonly reclaimedBytes: number
  readonly contextSwitches: number
  readonly cpu: number
}

/** A distribution connection of the watched node. What a carrier other than TCP does not tell is undefined. */
export interface LinkSample {
  readonly peer: string
  /** Whether the peer is shown in `nodes/0`; undefined when it was gone before it could be asked. */
  readonly type: 'visible' | 'hidden' | undefined
  /** Bytes that wait to be sent: the port's queue (`erlang:port_info(_, queue_size)`). */
  readonly queueBytes: number | undefined
  readonly receivedBytes: number | undefined
  readonly sentBytes: number | undefined
  /** Per second, since the sample before. */
  readonly receivedRate: number | undefined
  readonly sentRate: number | undefined
  /** The probe's own connection to the node. */
  readonly own: boolean
}

/** One poll of a node. */
export interface NodeSample {
  readonly node: string
  /** Milliseconds since 1970, by the clock of the probe. */
  readonly at: number
  /** What the poll took, there and back. */
  readonly roundTripMs: number
  readonly otpRelease: string
  readonly ertsVersion: string
  readonly architecture: string
  readonly uptimeMs: number
  readonly schedulers: {
    readonly total: number
    readonly online: number
    readonly dirtyCpu: number
    readonly dirtyIo: number
  }
  /** Processes and ports ready to run, all queues. */
  readonly runQueue: number
  /** By queue: one for each scheduler, then the dirty CPU and the dirty I/O queue. */
  readonly runQueues: readonly number[]
  /** Undefined where the node runs without allocator statistics. */
  readonly memory: MemorySample | undefined
  readonly counters: CounterSample
  /** Undefined in the first sample of a connection. */
  readonly rates: RateSample | undefined
  readonly limits: {
    readonly processes: LimitSample
    readonly ports: LimitSample
    readonly atoms: LimitSample
    readonly ets: LimitSample
  }
  readonly links: readonly LinkSample[]
}

/** Where the probe stands with a node. `sample` is the last one: of a node that is down, the last before. */
export interface NodeStatus {
  readonly node: string
  readonly status: 'connecting' | 'up' | 'down'
  /** Since when, milliseconds since 1970. */
  readonly since: number
  /** Why it is down: OTP's `nodedown_reason`, or the code of the error that connecting ended with. */
  readonly reason: string | undefined
  /** The message of the last error of connecting or polling; undefined after a good poll. */
  readonly error: string | undefined
  readonly sample: NodeSample | undefined
}

/**
 * An event of the timeline. `nodeup` and `nodedown` are of the probe's own connections and carry OTP's reason; `linkup` and
 * `linkdown` are seen by comparing the links of a node between two polls, whose reason only that node knows.
 */
export interface TimelineEvent {
  readonly at: number
  readonly type: 'nodeup' | 'nodedown' | 'linkup' | 'linkdown'
  readonly node: string
  /** The other end, for links. */
  readonly peer?: string
  readonly reason?: string
}

export type ProcessOrder = 'memory' | 'reductions' | 'messageQueueLen'

/** A process in the table. */
export interface ProcessRow {
  readonly pid: string
  readonly registeredName: string | undefined
  /** What `proc_lib:translate_initial_call/1` says; undefined when it was not asked. */
  readonly initialCall: string | undefined
  readonly currentFunction: string | undefined
  readonly memory: number
  /** All since its start. */
  readonly reductions: number
  /** Per second between its last two readings; undefined until there are two. */
  readonly reductionsRate: number | undefined
  readonly messageQueueLen: number
}

/** The first processes of a node by one measure, as far as the budget of a poll allows to know. */
export interface ProcessTable {
  readonly node: string
  readonly at: number
  readonly by: ProcessOrder
  readonly rows: readonly ProcessRow[]
  /** Processes whose figures are known, read in this poll or an earlier one, of `total`. */
  readonly sampled: number
  /** Processes read in this poll. */
  readonly fresh: number
  /** `process_count` now. */
  readonly total: number
  /** Age of the list of pids that is sampled: processes born since are not in it. */
  readonly pidsAgeMs: number
}

/** One process in detail. What was not asked for is undefined. */
export interface ProcessDetail {
  readonly pid: string
  readonly registeredName: string | undefined
  readonly initialCall: string | undefined
  readonly currentFunction: string | undefined
  readonly status: string
  readonly priority: string
  readonly trapExit: boolean
  readonly memory: number
  readonly heapBytes: number
  readonly totalHeapBytes: number
  readonly stackBytes: number
  readonly reductions: number
  readonly messageQueueLen: number
  readonly groupLeader: string
  readonly links: readonly string[]
  readonly monitors: readonly string[]
  readonly monitoredBy: readonly string[]
  readonly stackTrace: readonly string[]
  readonly dictionary: readonly { readonly key: string; readonly value: string }[] | undefined
  /** `sys:get_state/2`, printed; or why it could not be had. */
  readonly state: string | undefined
  readonly messages: readonly string[] | undefined
}

export interface ApplicationSample {
  readonly name: string
  readonly description: string
  readonly version: string
  /** Its topmost supervisor; undefined for a library. */
  readonly supervisor: string | undefined
}

/** A child of a supervisor. Children of supervisors among them are asked for when wanted. */
export interface TreeNode {
  readonly id: string
  /** Undefined while it does not run. */
  readonly pid: string | undefined
  readonly type: 'supervisor' | 'worker'
  /** False where `pid` belongs to another node: it is not looked into. */
  readonly local: boolean
  readonly modules: readonly string[] | 'dynamic'
}

export interface Children {
  readonly children: readonly TreeNode[]
  /** Children there are; more than `children` holds when the budget was reached. */
  readonly total: number
}

export interface EtsRow {
  readonly id: string
  readonly name: string
  readonly objects: number
  readonly memory: number
  readonly owner: string
  readonly type: string
  readonly protection: string
}

export interface PortRow {
  readonly port: string
  readonly name: string
  readonly connected: string
  readonly inputBytes: number
  readonly outputBytes: number
  readonly queueBytes: number
  readonly memory: number
  readonly osPid: number | undefined
}

/** A socket of `inet` (a port) or of `socket` (a NIF). */
export interface SocketRow {
  readonly id: string
  readonly kind: 'inet' | 'socket'
  readonly protocol: string
  readonly owner: string
  readonly local: string | undefined
  readonly remote: string | undefined
  readonly receivedBytes: number
  readonly sentBytes: number
}

/** A part of a list that may be longer. */
export interface Sampled<Row> {
  readonly node: string
  readonly at: number
  readonly rows: readonly Row[]
  /** How many were read, of `total`. */
  readonly sampled: number
  readonly total: number
}

/** How busy one scheduler was: `active` of 1. */
export interface SchedulerUse {
  readonly id: number
  readonly type: 'normal' | 'cpu' | 'io'
  readonly active: number
}
