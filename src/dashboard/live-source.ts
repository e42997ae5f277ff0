/** A dashboard of nodes as they are now: those that a probe watches and, with a node of one's own, that node and its peers. */
import type { ErlangNode, Limits, NodeSubscription, Term } from '../index.js'
import { Fleet } from './fleet.js'
import { OwnNode } from './own-node.js'
import type { Probe, ProbeUpdate } from './probe.js'
import type { Action, ViewRequest } from './protocol.js'
import type { NodeStatus } from './samples.js'
import { act, readView, type DashboardSource, type ViewValue } from './source.js'
import { BeampeerError } from '../errors.js'

export interface LiveSourceOptions {
  readonly probe: Probe
  readonly limits: Limits
  /** Is shown, too. */
  readonly node?: ErlangNode | undefined
  /** Watch whatever node it is connected to. */
  readonly followPeers?: boolean
  /** Stop the probe at the end. */
  readonly stopProbe: boolean
  readonly onError: (error: unknown) => void
}

export class LiveSource implements DashboardSource {
  readonly fleet: Fleet
  readonly #options: LiveSourceOptions
  readonly #updates: AsyncIterableIterator<ProbeUpdate>
  readonly #following: Promise<void>[] = []
  readonly #fixed: ReadonlySet<string>
  readonly #wereUp = new Set<string>()
  #subscription: NodeSubscription | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  #closed = false

  constructor(options: LiveSourceOptions) {
    const { probe, limits, node, followPeers } = options
    this.#options = options
    this.fleet = new Fleet(limits)
    this.#fixed = new Set(probe.nodes)
    if (node !== undefined) void this.#sampleOwn(node, new OwnNode(node))
    for (const event of probe.timeline()) this.fleet.event(event)
    for (const status of probe.statuses()) this.#status(status)
    this.#updates = probe.updates()
    this.#following.push(this.#followProbe())
    if (node !== undefined && followPeers === true) {
      this.#subscription = node.monitorNodes({ nodeType: 'all' })
      this.#following.push(this.#followPeers(node, this.#subscription))
    }
  }

  get intervalMs(): number {
    return this.#options.probe.intervalMs
  }

  now(): number {
    return Date.now()
  }

  async view(request: ViewRequest): Promise<ViewValue> {
    if (request.node === this.#options.node?.name)
      throw new BeampeerError(
        'DASHBOARD_NO_VIEW',
        `${request.node} is a beampeer node: it has no ${request.kind} to look at`,
      )
    return readView(this.#options.probe, this.#options.limits, request)
  }

  act(action: Action): Promise<Term> {
    return act(this.#options.probe, action)
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    this.#subscription?.end()
    await this.#updates.return?.()
    if (this.#options.stopProbe) await this.#options.probe.stop()
    await Promise.all(this.#following)
  }

  async #followProbe(): Promise<void> {
    for await (const update of this.#updates) {
      if (update.type === 'event') this.fleet.event(update.event)
      else this.#status(update.status)
    }
  }

  #status(status: NodeStatus): void {
    if (status.status === 'up') this.#wereUp.add(status.node)
    this.fleet.put({ ...compact(status), kind: 'beam' })
  }

  // --- our own node ---

  async #sampleOwn(node: ErlangNode, own: OwnNode): Promise<void> {
    try {
      const sample = await own.sample()
      if (this.#closed) return
      const status: NodeStatus = {
        node: node.name,
        status: 'up',
        since: own.startedAt,
        reason: undefined,
        error: undefined,
        sample,
      }
      this.fleet.put({ ...compact(status), kind: 'beampeer' })
    } catch (error) {
      this.#options.onError(error)
    }
    if (!this.#closed) this.#timer = setTimeout(() => void this.#sampleOwn(node, own), this.intervalMs)
  }

  /**
   * A node that connects is watched, and stays when it goes; one that cannot be dialled back (a shell, a tool, a node that
   * is in no EPMD) is let go when it does.
   */
  async #followPeers(node: ErlangNode, events: NodeSubscription): Promise<void> {
    for (const peer of node.nodes('connected')) await this.#watch(peer)
    for await (const event of events) {
      if (event.type === 'nodeup') await this.#watch(event.node)
      else if (!this.#wereUp.has(event.node) && !this.#fixed.has(event.node)) await this.#unwatch(event.node)
    }
  }

  async #watch(peer: string): Promise<void> {
    const { probe, limits } = this.#options
    if (probe.nodes.includes(peer) || probe.nodes.length >= limits.maxDashboardNodes) return
    try {
      if (!this.#closed) await probe.watch(peer)
    } catch (error) {
      this.#options.onError(error)
    }
  }

  async #unwatch(peer: string): Promise<void> {
    await this.#options.probe.unwatch(peer)
    this.fleet.remove(peer)
  }
}

/**
 * A state with fewer digits, which are most of what changes and goes to pages: rates are whole numbers, `cpu` has three
 * decimals, times one.
 */
function compact(status: NodeStatus): NodeStatus {
  const { sample } = status
  if (sample === undefined) return status
  const { rates, links } = sample
  return {
    ...status,
    sample: {
      ...sample,
      roundTripMs: Math.round(sample.roundTripMs * 10) / 10,
      rates: rates && {
        reductions: Math.round(rates.reductions),
        inputBytes: Math.round(rates.inputBytes),
        outputBytes: Math.round(rates.outputBytes),
        garbageCollections: Math.round(rates.garbageCollections),
        reclaimedBytes: Math.round(rates.reclaimedBytes),
        contextSwitches: Math.round(rates.contextSwitches),
        cpu: Math.round(rates.cpu * 1_000) / 1_000,
      },
      links: links.map((link) => ({
        ...link,
        receivedRate: whole(link.receivedRate),
        sentRate: whole(link.sentRate),
      })),
    },
  }
}

function whole(rate: number | undefined): number | undefined {
  return rate === undefined ? undefined : Math.round(rate)
}
