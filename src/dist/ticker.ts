/**
 * Ticks: how each side knows that the other lives (OTP `dist_util.erl`, `send_tick/2` and `need_to_tick/4`;
 * `net_kernel`, `net_ticktime` and `net_tickintensity`).
 *
 * The caller asks every `netTicktime / netTickintensity`. Then, as OTP does:
 * - a tick is due when nothing was written since the last time and nothing waits to be written; to a hidden peer also
 *   when nothing was read from it (a primitive node only ticks when it is ticked);
 * - the peer is silent when nothing was read in `netTickintensity` askings in a row: between T and T + T/intensity
 *   after its last byte (OTP promises T − T/intensity to T + T/intensity).
 *
 * One thing is added: an asking at which silence says nothing about the peer is not counted against it. That is one more
 * than an interval late (our own event loop stalled, and timers run before sockets are read), and one while we hold the
 * peer back ourselves.
 */

/** Counters of the channel; any unit that grows with each byte or frame will do. */
export interface Traffic {
  /** Bytes read from the peer, whole frames or not. */
  received: number
  /** Bytes queued for the peer. */
  sent: number
  /** Bytes that have not left yet. */
  pending: number
}

export class Ticker {
  private netTicktimeMs: number
  private readonly intensity: number
  private readonly hiddenPeer: boolean
  private lastAskedAt: number
  /** -1: the handshake's bytes count as read. */
  private received = -1
  private sent = 0
  /** Askings in a row that found nothing read. */
  private silentAskings = 0

  /**
   * @param hiddenPeer tick it whenever it is silent
   * @param now milliseconds, on the caller's monotonic clock
   */
  constructor(netTicktimeMs: number, intensity: number, hiddenPeer: boolean, now: number) {
    this.netTicktimeMs = netTicktimeMs
    this.intensity = intensity
    this.hiddenPeer = hiddenPeer
    this.lastAskedAt = now
  }

  /** Time between two askings. */
  get intervalMs(): number {
    return this.netTicktimeMs / this.intensity
  }

  /** A new `net_ticktime`. The caller's transition period (`net_kernel:set_net_ticktime/2`) covers the peer. */
  setTicktime(netTicktimeMs: number): void {
    this.netTicktimeMs = netTicktimeMs
  }

  /**
   * One asking. `tick`: the caller writes a tick now. `silent`: the peer is to be taken for dead.
   * @param heldBack the caller did not read all the time: that nothing came says nothing about the peer
   */
  ask(traffic: Traffic, now: number, heldBack = false): 'idle' | 'tick' | 'silent' {
    const excused = heldBack || now - this.lastAskedAt > 2 * this.intervalMs
    this.lastAskedAt = now
    const readNothing = traffic.received === this.received
    const wroteNothing = traffic.sent === this.sent
    this.received = traffic.received
    this.sent = traffic.sent
    if (!readNothing) this.silentAskings = 0
    else if (!excused && ++this.silentAskings >= this.intensity) return 'silent'
    if ((wroteNothing && traffic.pending === 0) || (this.hiddenPeer && readNothing)) return 'tick'
    return 'idle'
  }

  /** The tick that {@link ask} wanted was written: it does not count as something written by itself. */
  ticked(sent: number): void {
    this.sent = sent
  }
}
