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

  // --- distribution channel (dist) ---
  /** Largest frame accepted from a peer. Stops a 4 GiB length claim; worst case one such buffer per connection. */
  maxFrameBytes: number
  /** Output queued on one connection above which `send` answers false (OTP's `dist_buf_busy_limit`). */
  busyLimitBytes: number
  /** Output queued on one connection at which sending throws: the hard cap behind the busy limit. */
  maxQueuedBytes: number

  // --- handshake ---
  /** Time between two steps of a handshake (OTP's `net_setuptime`). */
  setupTimeMs: number
  /** Time for a whole handshake, however many steps it takes. Stops a peer that drips bytes. */
  setupTotalMs: number
  /** Incoming connections in handshake at once. Further ones are closed at once. */
  maxPendingHandshakes: number
  /** Largest handshake message (names have at most 255 bytes each). */
  maxHandshakeMessageBytes: number

  // --- kernel ---
  /** Signals queued for a node to which a connection is being set up. */
  maxPendingSignals: number
  /** Messages in one process's mailbox; past it the process's `mailboxPolicy` decides. */
  maxMailboxMessages: number
  /** Processes alive at once on this node (the BEAM's default is 262,144 up to OTP 26, 1,048,576 since). */
  maxProcesses: number
}

export const DEFAULT_LIMITS: Readonly<Limits> = Object.freeze({
  maxAtoms: 1_048_576,
  maxAtomsPerConnection: 100_000,

  maxFrameBytes: 128 * 1024 * 1024,
  busyLimitBytes: 1024 * 1024,
  maxQueuedBytes: 1024 * 1024 * 1024,

  setupTimeMs: 7_000,
  setupTotalMs: 30_000,
  maxPendingHandshakes: 128,
  maxHandshakeMessageBytes: 2_048,

  maxPendingSignals: 100_000,
  maxMailboxMessages: 1_000_000,
  maxProcesses: 262_144,
})
