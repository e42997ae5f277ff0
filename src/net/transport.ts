/**
 * What a link needs of a connection: ordered bytes both ways, a way to hold the peer back, and one end.
 * TCP ({@link file://./tcp.ts}), TLS and memory implement it; nothing above this interface knows which.
 */

/** One end of a connection, as the operating system names it. */
export interface TransportAddress {
  host: string
  port: number
}

/** What a transport tells its user. Calls come one at a time; none comes after `onClose`. */
export interface TransportHandlers {
  /** Bytes from the peer, in order, in chunks of any size. The chunk is lent: its memory is used again after the call. */
  onData(chunk: Uint8Array): void
  /**
   * Where the next bytes would best be put, if that matters: a transport that can do so reads into it, and passes the
   * part that it filled to `onData`, as a subarray. Asked for after each `onData`, and good until the next.
   */
  room?(): Uint8Array | undefined
  /** Memory that is ready for more of what came or went is not wanted any more: nothing has for a while. */
  trim?(): void
  /** How many frames ever came: a transport that waits busily for answers tells by it one request from many. */
  frames?(): number
  /** The connection is over, and nothing more will come. `error` says why, when it was not an orderly end. */
  onClose(error: Error | undefined): void
}

/** Socket options that `net_kernel:setopts/2` and `getopts/2` reach. */
export interface TransportOptions {
  nodelay?: boolean
  keepalive?: boolean
}

export interface Transport {
  readonly protocol: 'tcp' | 'tls' | 'memory'
  /** Undefined for a transport that has no address. */
  readonly localAddress: TransportAddress | undefined
  readonly remoteAddress: TransportAddress | undefined
  /** Size of the length that precedes each message of the handshake: 2, but 4 over TLS. */
  readonly handshakeLengthBytes: 2 | 4
  /** Bytes given to `write` that the operating system has not taken yet. */
  readonly bufferedBytes: number
  /** True once `onClose` was called or `destroy` ended it. */
  readonly closed: boolean

  /** Starts delivery. Until then the transport reads nothing. To be called once. */
  attach(handlers: TransportHandlers): void
  /**
   * Queues bytes, in one or more pieces. They belong to the transport until `done` is called, which happens once for every write: when the
   * operating system took them, or when the connection ended. Never throws: a failed connection shows in `onClose`.
   */
  write(bytes: Uint8Array | readonly Uint8Array[], done?: () => void): void
  /**
   * Ends the connection after what was written; gives up on a peer that does not take it.
   * @param waitForPeer also wait a while for the peer to end its side, so that what it still sends cannot cost it what
   *   we wrote last. False for peers that are not to be trusted with holding a connection open.
   */
  close(waitForPeer?: boolean): void
  /** Ends the connection now. What was written and not sent is lost. */
  destroy(): void
  /** Stops reading: the peer is held back by the transport's own flow control. */
  pause(): void
  resume(): void
  setOptions(options: TransportOptions): void
  options(): TransportOptions
}
