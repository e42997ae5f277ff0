/**
 * Every bound in beampeer, in one place: what a peer can make this process allocate or wait for.
 * Each says the attack it stops and the worst case that it allows. No other file invents a bound.
 * Sizes are in bytes, times in milliseconds.
 */
export interface Limits {
  // --- terms (etf) ---
  /** Atoms that all peers together may create in the intern table (the BEAM's own default). Stops atom exhaustion. */
  maxAtoms: number
  /** New atoms that one connection may create. Past it the connection closes. */
  maxAtomsPerConnection: number
  /** Different keys of plain objects that one connection may send as atoms. Stops user input from filling a BEAM's atom table. */
  maxObjectKeysPerConnection: number
  /** Size that a compressed term may inflate to, checked before inflating. Stops zip bombs; worst case one such buffer a term. */
  maxInflatedBytes: number
  /** Bytes of one big integer. Stops integers whose printing (more than linear) would stall; V8 itself ends at 2^30 bits. */
  maxIntegerBytes: number
  /**
   * Containers within one another in a term that is read. Two bytes make a level, and a level takes some 200 bytes: stops a
   * few MB of tuples in tuples from taking all memory.
   */
  maxNesting: number
  /**
   * Elements of all containers in a term that is read. An element of one byte (an empty list) or two (an empty tuple) takes up
   * to 110 bytes: stops messages of many MB of such from filling the heap; worst case some 1.9 GB. Lists of bytes that come
   * as strings count by the eight bytes, funs and bitstrings as several elements: for what they take.
   */
  maxTermElements: number
  /** Bytes of one encoded term: past it encoding is an error. Stops a runaway structure (a getter that makes more of itself). */
  maxTermBytes: number

  /** Largest binary that a term's text may make. Stops `<<0:99999999999>>`: few characters, any amount of memory. */
  maxTextBinaryBytes: number
  /** Deepest nesting that schemas and `toPlain` follow. Stops a term nested a million times from overflowing the stack. */
  maxViewDepth: number
  /**
   * Longest text that `formatIo` makes, and all formats of one request to our group leader together. Stops
   * `~999999999c` and the like, which a peer may ask for.
   */
  maxFormatCharacters: number

  // --- distribution channel (dist) ---
  /**
   * Largest frame accepted from a peer, and so its longest message that does not come in fragments (a BEAM sends those
   * so that waited for the connection). Stops a 4 GiB length claim; worst case one such buffer per connection.
   */
  maxFrameBytes: number
  /**
   * Fragmented messages of one peer under way at once. Stops starts without ends; worst case some 80 MB, where each has the
   * 255 atoms that a header can refer to.
   */
  maxFragmentedMessages: number
  /** Bytes that those hold together, with 128 for each fragment. Also a peer's longest message in fragments. */
  maxFragmentedBytes: number
  /**
   * What a peer may announce of frames and messages under way for which memory is asked for at once; beyond, memory grows
   * with what has come. Stops lengths that nothing follows; worst case so much memory that is never written to.
   */
  maxClaimedBytes: number
  /** Output queued on one connection above which `send` answers false (OTP's `dist_buf_busy_limit`). */
  busyLimitBytes: number
  /** Output queued on one connection at which sending throws: the hard cap behind the busy limit. */
  maxQueuedBytes: number

  // --- handshake ---
  /** Time between two steps of a handshake (OTP's `net_setuptime`). */
  setupTimeMs: number
  /** Time for a whole handshake, however many steps it takes. Stops a peer that drips bytes. */
  setupTotalMs: number
  /**
   * Incoming connections in handshake at once; a further one takes the place of the oldest. Stops who opens connections
   * and says nothing, without shutting out nodes.
   */
  maxPendingHandshakes: number
  /** Largest handshake message (names have at most 255 bytes each). */
  maxHandshakeMessageBytes: number

  // --- links (net) ---
  /**
   * Bytes of a link's output handed to the transport at a time; the rest waits in the channel, where it is counted and
   * senders take turns. Bounds what a peer that does not read makes the transport hold beyond `maxQueuedBytes`.
   */
  maxWriteAheadBytes: number
  /** How long a closing connection waits for a peer that does not take what was written, or does not close its side. */
  closeLingerMs: number
  /**
   * How long to wait busily for the next of small messages that follow each other closely (see net/busy-wait.ts), at the
   * cost of a processor: with 0, whoever calls us one call after another makes us sleep and wake for each.
   */
  busyWaitMs: number
  /**
   * How long at most the thread sleeps after a turn of the event loop, while many messages come, so that the next ones
   * gather (see net/coalescing.ts; whether it does, and for how much of this, depends on what helps); five times as long for
   * large ones; 10 at most, and the system may make it a little longer. 0: not at all.
   */
  coalescingMs: number
  /**
   * While large binaries keep coming or going, and for five seconds after, how much of the memory that they leave may be
   * kept for the next ones (see net/bulk-memory.ts); for some sizes of V8's heap, 16 MiB are added to that meanwhile. 0: none
   * of both, it is left to V8 and the C library, which give it back and have it anew.
   */
  bulkMemoryBytes: number
  /**
   * After how many bytes in one turn of the event loop a connection is read no more in it, while others send much too, and
   * after a quarter of that while one sends little (see net/fair-reading.ts). Stops a peer's long messages from putting off
   * what others send: it waits for some tenths of a millisecond, and a read of 64 KiB of each. Infinity: each is read as
   * fast as it comes.
   */
  maxReadTurnBytes: number

  // --- EPMD (epmd) ---
  /** Body of one request to our EPMD; a longer length closes the connection. OTP's bound: two names of 1,020 bytes fit. */
  maxEpmdRequestBytes: number
  /** The `extra` field of a registration. Kept as long as the name, so it multiplies by `maxEpmdNames`. */
  maxEpmdExtraBytes: number
  /** Names registered in our EPMD at once. Stops a local process that fills memory; worst case 2 KiB for each. */
  maxEpmdNames: number
  /** Names that are gone, remembered so that their next creation differs. Past it the oldest is forgotten. */
  maxEpmdOldNames: number
  /**
   * Connections to our EPMD that hold no registration. Past it the oldest of them is dropped for the new one, so that
   * idle connections lock nobody out. Several times the backlog, which one turn of the event loop may accept, so that no
   * honest request is dropped before it was read. Worst case one request's bytes for each.
   */
  maxEpmdPendingConnections: number
  /**
   * Part of the files that this process may have open which those connections may take, if that is less. Out of files,
   * the system turns everyone away, and node and EPMD with them.
   */
  maxEpmdFileShare: number
  /** Connections that the system holds for our EPMD until they are accepted. Past it callers wait a second and more. */
  epmdBacklog: number
  /** Replies of our EPMD that peers have not read. Past it the oldest such connection is dropped. */
  maxEpmdQueuedBytes: number
  /** Without a byte until the end of a connection that holds no registration; `epmd -packet_timeout`. */
  epmdPacketTimeoutMs: number
  /** From accept to the end of a connection that holds no registration, however many bytes it drips. */
  epmdRequestTimeoutMs: number
  /** A reply of a foreign EPMD; stops one that never stops talking. 65,536 names of ordinary length fit. */
  maxEpmdReplyBytes: number
  /** Waiting for a foreign EPMD: connect, request and whole reply together (`erl_epmd` waits as long). */
  epmdReplyTimeoutMs: number
  /**
   * First pause before a registration that was lost is made again, doubled each time up to the last; from half of it. The
   * first attempt has none, nor has that after a registration which lasted as long as the longest.
   */
  epmdRetryMinMs: number
  /**
   * Longest such pause: the fixed one of `erl_epmd`. Stops an EPMD that registers and closes from having us register and
   * log without an end.
   */
  epmdRetryMaxMs: number
  /**
   * How long a first registration is tried again while an older one of the same name, or the daemon, is going away.
   */
  epmdSettleTimeMs: number

  // --- kernel ---
  /** Signals queued for a node to which a connection is being set up. */
  maxPendingSignals: number
  /**
   * Memory that all signals take which wait for connections being set up: their bytes, and 512 for each. Stops a peer that
   * asks, in the name of a node that does not answer, for large answers; worst case one term more (`maxTermBytes`).
   */
  maxPendingBytes: number
  /**
   * Connections being set up at once because a signal is to be sent; past it the oldest is given up, as if the node could
   * not be reached. Those that `connect` waits for are not counted. Stops a peer that asks in the names of any number of
   * nodes, to which the answers go; worst case so many sockets and requests to EPMD.
   */
  maxAutoConnects: number
  /** Nodeup and nodedown events that wait in one `monitorNodes` iterator; past it new ones are counted and dropped. */
  maxNodeEvents: number
  /** Nodes whose last connection error is remembered. Stops a list that grows with every name that is tried. */
  maxRememberedErrors: number
  /** Waiting for a peer to say which release it runs; then it is taken for a recent one. */
  peerReleaseTimeoutMs: number
  /** First pause before a peer that is kept connected is dialled again, doubled each time. Stops hammering it. */
  reconnectMinMs: number
  /** Longest such pause. */
  reconnectMaxMs: number
  /** Names that a node without a name of its own had, remembered for the pids it made under them. */
  maxFormerNames: number
  /**
   * Names given to peers that asked for one, kept to be given again; past it the oldest are forgotten. Stops a peer that
   * asks for names at any number of hosts; worst case some 10 MB.
   */
  maxPooledNames: number
  /** Messages in one process's mailbox; past it the process's `mailboxPolicy` decides. */
  maxMailboxMessages: number
  /**
   * Links and monitors that the processes of one peer may have made on ours; past it the connection closes. Stops a peer
   * that monitors without end; worst case some 440 MB for each connection. Those that come with a spawn request are not
   * counted: `maxProcesses` bounds them.
   */
  maxRelationsPerConnection: number
  /**
   * Memory that the messages of other nodes in one process's mailbox may take, about: their bytes on the wire, and 64 for
   * each element of their containers. Past it the process's `mailboxPolicy` decides, but a mailbox that is empty takes a
   * message of any weight. Stops messages of many tiny terms to a process that does not read, each of which may take
   * gigabytes; worst case that much, or one message (`maxTermElements`).
   */
  maxMailboxBytes: number
  /**
   * The same of all mailboxes of a node together. Where half of it is held, those that would hold more than
   * `mailboxBusyBytes` take no more, where all of it is, none does, except for what a receive waits for. Stops a peer that
   * sends to many processes that do not read; worst case one message more than that. V8's heap is 2 to 4 GB by default:
   * with a smaller one, make this and `maxTermElements` smaller too.
   */
  maxAllMailboxBytes: number
  /**
   * Messages, and memory of messages of other nodes (as `maxMailboxBytes` has it), in one process's mailbox above which
   * those who send more to it are held back: their connections are not read until half of it was taken, or the process
   * waits for a message that is not there. Stops a peer that sends faster than a process takes.
   */
  mailboxBusyMessages: number
  mailboxBusyBytes: number
  /**
   * How often a connection that is held back is read all the same, for one more message: the process may be waiting for
   * an answer that comes over it. The more rarely by the square of how many times `mailboxBusyBytes` the mailbox holds. Bounds how fast a
   * mailbox that nobody reads grows.
   */
  mailboxTrickleMs: number
  /**
   * Calls of one exposed function that wait for their turn (its `concurrency` or `order`), and those of `rpc:block_call` that
   * wait for another; further ones are answered `system_limit`. Stops callers that ask faster than the function answers; worst case the arguments of so many calls.
   */
  maxQueuedCalls: number
  /**
   * Requests that wait for a group leader's input (a read of standard input waits for as long as nobody types); further ones
   * are answered `{error, terminated}`. Stops a peer that reads once and then prints or reads any number of times.
   */
  maxQueuedIoRequests: number
  /**
   * Members on other nodes that one scope of process groups remembers; further ones are left out. Stops a peer that
   * announces any number of pids; worst case some 300 MB.
   */
  maxGroupMembers: number
  /**
   * First pause before a hidden node asks a node again for a scope of process groups that has not answered, doubled each
   * time. Stops asking nodes that do not have it all the time.
   */
  pgDiscoverMinMs: number
  /** Longest such pause: how long after its start a scope of another node may go unnoticed. */
  pgDiscoverMaxMs: number
  /** Names that `global` keeps for the cluster; further ones are left out, and logged. Stops a peer that registers any number. */
  maxGlobalNames: number
  /** Resources that are locked on this node at once; further ones are refused. Stops a peer that locks any number. */
  maxGlobalLocks: number
  /** Pairs of nodes whose lost connection was heard of, remembered for an hour; past it the oldest is forgotten. */
  maxLostConnections: number
  /**
   * How long `global` waits before it acts on a lost connection, its own or one that others tell of: a node that ends is
   * lost to all at once, and only who hears of it from others first would take it for a partition.
   */
  globalLossDelayMs: number
  /**
   * Lines of the log about one node, or whatever else others cause lines about, in `logPeriodMs`; then one says how many
   * were left out. Stops a peer that asks for what cannot be answered from filling a disk.
   */
  maxLogLines: number
  logPeriodMs: number
  /** Nodes and other subjects whose lines are counted apart, those of all others together. Stops a peer with many names. */
  maxLogSubjects: number
  /** Processes alive at once on this node (the BEAM's default is 262,144 up to OTP 26, 1,048,576 since). */
  maxProcesses: number

  /** Rows (processes, tables, ports, links) that the probe asks a watched node for in one poll: its cost to that node. */
  maxProbeRows: number
  /** Bytes that the process rows of one poll may have: what the probe costs a watched node's network. */
  maxProbeBytes: number
  /** How long a watched node may take to answer a poll before the poll is given up. */
  probeTimeoutMs: number
  /** Age at which the list of all pids of a node with more than `maxProbeRows` is read anew: 2.7 MB for 100,000. */
  probePidsAgeMs: number
  /** Events that a probe remembers: nodes that come and go for months must not fill memory. */
  maxProbeEvents: number
  /** Updates that wait for one reader of a probe: a view that is behind shows the present, not the past. */
  maxProbeUpdates: number
  /** Characters of a printed state, dictionary value or message of a watched process: they may be of any size. */
  maxProbeCharacters: number
  /** Links of one watched node that metrics give series of their own: in a large cluster a scrape stays small. */
  maxMetricsLinks: number

  // --- dashboard ---
  /** Nodes that a dashboard shows: each costs polls and history. Stops a cluster of thousands from being polled by surprise. */
  maxDashboardNodes: number
  /** Pages connected at once. Stops who opens WebSockets without end; each costs its last states and one output buffer. */
  maxDashboardClients: number
  /** Browsers signed in at once: a further one takes the place of the one that was seen last longest ago. */
  maxDashboardSessions: number
  /** Links with a token that were made and not opened yet; the oldest is void. */
  maxDashboardTokens: number
  /** TCP connections to the dashboard. Stops who opens them and says nothing. */
  maxDashboardConnections: number
  /** Time for the head of a request, and for a page's first message. Stops who drips bytes. */
  dashboardRequestTimeoutMs: number
  /** Largest message of a page: its longest text is a filter. */
  maxDashboardMessageBytes: number
  /** Messages of one page in a second, and at once after a pause. Stops a page (or a script) that asks in a loop. */
  maxDashboardMessagesPerSecond: number
  /** HTTP requests in a second, of all browsers together. */
  maxDashboardRequestsPerSecond: number
  /** Output that waits for one page, above which it is told nothing until it has read: then it gets the newest state. */
  maxDashboardQueuedBytes: number
  /** Questions and actions of one page that wait for their answers. */
  maxDashboardQuestions: number
  /** Views that one page watches. Each is read from a node at its own pace. */
  maxDashboardViews: number
  /** Characters of a filter, a pid or a node's name in a page's message. */
  maxDashboardTextCharacters: number
  /** Events of the timeline that a page gets at once. */
  maxDashboardEvents: number
  /** Elements of a process's state, dictionary or messages that a page gets: the rest is counted. */
  maxDashboardTermElements: number
  /** Depth of the same. */
  maxDashboardTermDepth: number
  /** Points of a node's history: each poll of late, of ten seconds, of a minute. 900, 1,080 and 1,440 are 24 hours. */
  maxHistoryPolls: number
  maxHistoryTens: number
  maxHistoryMinutes: number
  /** Points of a history that a page gets at once. */
  maxHistoryReplyPoints: number
  /** Size at which a recording stops. Stops a forgotten one from filling the disk. */
  maxRecordingBytes: number
  /** Bytes that wait for a recording's disk, at which it stops: a disk that hangs must not fill memory. */
  maxRecordingQueuedBytes: number
  /** One frame of a recording, written or read. Stops a damaged length from allocating gigabytes. */
  maxRecordingFrameBytes: number
}

export const DEFAULT_LIMITS: Readonly<Limits> = Object.freeze({
  maxAtoms: 1_048_576,
  maxAtomsPerConnection: 100_000,
  maxObjectKeysPerConnection: 10_000,
  maxInflatedBytes: 128 * 1024 * 1024,
  maxIntegerBytes: 16 * 1024 * 1024,
  maxNesting: 1_000_000,
  maxTermElements: 16_777_216,
  maxTermBytes: 1024 * 1024 * 1024,
  maxTextBinaryBytes: 64 * 1024 * 1024,
  maxViewDepth: 1_000,
  maxFormatCharacters: 16 * 1024 * 1024,

  maxFrameBytes: 128 * 1024 * 1024,
  maxFragmentedMessages: 16_384,
  maxFragmentedBytes: 512 * 1024 * 1024,
  maxClaimedBytes: 128 * 1024 * 1024,
  busyLimitBytes: 1024 * 1024,
  maxQueuedBytes: 1024 * 1024 * 1024,

  setupTimeMs: 7_000,
  setupTotalMs: 30_000,
  maxPendingHandshakes: 1_024,
  maxHandshakeMessageBytes: 2_048,

  maxWriteAheadBytes: 256 * 1024,
  closeLingerMs: 2_000,
  busyWaitMs: 0.1,
  coalescingMs: 0.05,
  bulkMemoryBytes: 48 * 1024 * 1024,
  maxReadTurnBytes: 256 * 1024,

  maxEpmdRequestBytes: 3_057,
  maxEpmdExtraBytes: 1_020,
  maxEpmdNames: 16_384,
  maxEpmdOldNames: 1_000,
  maxEpmdPendingConnections: 4_096,
  maxEpmdFileShare: 0.5,
  epmdBacklog: 1_024,
  maxEpmdQueuedBytes: 64 * 1024 * 1024,
  epmdPacketTimeoutMs: 60_000,
  epmdRequestTimeoutMs: 180_000,
  maxEpmdReplyBytes: 4 * 1024 * 1024,
  epmdReplyTimeoutMs: 10_000,
  epmdRetryMinMs: 50,
  epmdRetryMaxMs: 2_000,
  epmdSettleTimeMs: 1_000,

  maxPendingSignals: 100_000,
  maxPendingBytes: 256 * 1024 * 1024,
  maxAutoConnects: 1_024,
  maxNodeEvents: 10_000,
  maxRememberedErrors: 1_000,
  peerReleaseTimeoutMs: 5_000,
  reconnectMinMs: 100,
  reconnectMaxMs: 30_000,
  maxFormerNames: 64,
  maxPooledNames: 10_000,
  maxMailboxMessages: 1_000_000,
  maxRelationsPerConnection: 1_000_000,
  maxMailboxBytes: 256 * 1024 * 1024,
  maxAllMailboxBytes: 1024 * 1024 * 1024,
  mailboxBusyMessages: 10_000,
  mailboxBusyBytes: 8 * 1024 * 1024,
  mailboxTrickleMs: 100,
  maxQueuedCalls: 10_000,
  maxQueuedIoRequests: 10_000,
  maxGroupMembers: 1_000_000,
  pgDiscoverMinMs: 100,
  pgDiscoverMaxMs: 5_000,
  maxGlobalNames: 1_000_000,
  maxGlobalLocks: 100_000,
  maxLostConnections: 10_000,
  globalLossDelayMs: 100,
  maxLogLines: 50,
  logPeriodMs: 60_000,
  maxLogSubjects: 100,
  maxProcesses: 262_144,

  maxProbeRows: 500,
  maxProbeBytes: 90_000,
  probeTimeoutMs: 5_000,
  probePidsAgeMs: 60_000,
  maxProbeEvents: 10_000,
  maxProbeUpdates: 1_000,
  maxProbeCharacters: 10_000,
  maxMetricsLinks: 100,

  maxDashboardNodes: 64,
  maxDashboardClients: 32,
  maxDashboardSessions: 64,
  maxDashboardTokens: 16,
  maxDashboardConnections: 256,
  dashboardRequestTimeoutMs: 10_000,
  maxDashboardMessageBytes: 16 * 1024,
  maxDashboardMessagesPerSecond: 50,
  maxDashboardRequestsPerSecond: 200,
  maxDashboardQueuedBytes: 256 * 1024,
  maxDashboardQuestions: 16,
  maxDashboardViews: 64,
  maxDashboardTextCharacters: 1_000,
  maxDashboardEvents: 500,
  maxDashboardTermElements: 2_000,
  maxDashboardTermDepth: 20,
  maxHistoryPolls: 900,
  maxHistoryTens: 1_080,
  maxHistoryMinutes: 1_440,
  maxHistoryReplyPoints: 5_000,
  maxRecordingBytes: 4 * 1024 * 1024 * 1024,
  maxRecordingQueuedBytes: 16 * 1024 * 1024,
  maxRecordingFrameBytes: 16 * 1024 * 1024,
})
