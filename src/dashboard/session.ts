/**
 * One page that is connected. It is told the difference between what it was told last and what is so now, whenever its
 * connection takes more: one that reads slowly misses states in between, not the newest, and makes nothing pile up.
 */
import type { WebSocket } from 'ws'
import { BeampeerError } from '../errors.js'
import type { Limits, Term } from '../index.js'
import { checkMessage } from './check-message.js'
import { nodeDelta, viewDelta } from './node-delta.js'
import {
  CLOSE,
  DASHBOARD_PROTOCOL,
  decodeMessage,
  encodeMessage,
  type Action,
  type ClientMessage,
  type NodeDelta,
  type NodeState,
  type Question,
  type RecordingState,
  type Reply,
  type ServerMessage,
  type ViewKind,
  type Welcome,
} from './protocol.js'
import { Rate } from './rate.js'
import type { DashboardSource, ViewValue } from './source.js'
import { termTrees } from './term-tree.js'
import { errorInfo, type ViewHandle, type Views } from './views.js'

/** What a session needs of its server. */
export interface SessionContext {
  readonly source: DashboardSource
  readonly views: Views
  readonly limits: Limits
  /** All of the welcome but the state of this moment. */
  welcome(): Omit<Welcome, 'nodes' | 'history' | 'events' | 'firstEvent' | 'at'>
  /** Checks, does and logs an action. */
  act(action: Action): Promise<Term>
  history(question: Question & { kind: 'history' }): Extract<Reply, { ok: true }>['result']
  sparks(): Welcome['history']
}

interface Watched {
  readonly handle: ViewHandle
  readonly kind: ViewKind
  told: ViewValue | undefined
  toldError: string | undefined
  dirty: boolean
}

export class Session {
  readonly #socket: WebSocket
  readonly #context: SessionContext
  readonly #rate: Rate
  readonly #views = new Map<number, Watched>()
  readonly #questions: (ClientMessage & { type: 'ask' | 'action' | 'control' })[] = []
  readonly #unlisten: () => void
  readonly #helloTimer: ReturnType<typeof setTimeout>
  /** What the page has been told of each node. */
  #told = new Map<string, NodeState>()
  readonly #dirty = new Set<string>()
  #toldEvents = 0
  #greeted = false
  #answering = false
  #flushing: ReturnType<typeof setImmediate> | undefined
  #replayDirty = false
  #recording: RecordingState | undefined
  #closed = false

  constructor(socket: WebSocket, context: SessionContext) {
    this.#socket = socket
    this.#context = context
    this.#rate = new Rate(context.limits.maxDashboardMessagesPerSecond)
    this.#unlisten = context.source.fleet.listen({
      changed: (node) => {
        this.#dirty.add(node)
        this.#schedule()
      },
      event: () => this.#schedule(),
      reset: () => {
        if (this.#greeted) this.#welcome()
      },
    })
    this.#helloTimer = setTimeout(
      () => this.close(CLOSE.badMessage, 'no hello'),
      context.limits.dashboardRequestTimeoutMs,
    )
    socket.on('message', (data, isBinary) => this.#receive(data as Buffer, isBinary))
    socket.on('close', () => this.#end())
    // A message that is too big, or no WebSocket frame: `close` follows.
    socket.on('error', () => undefined)
  }

  /** Told to all pages besides what they watch. */
  tell(message: ServerMessage): void {
    if (this.#greeted) void this.#send(message)
  }

  replayChanged(): void {
    this.#replayDirty = true
    this.#schedule()
  }

  recordingChanged(recording: RecordingState): void {
    this.#recording = recording
    this.#schedule()
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason)
    this.#end()
  }

  #end(): void {
    if (this.#closed) return
    this.#closed = true
    clearTimeout(this.#helloTimer)
    if (this.#flushing !== undefined) clearImmediate(this.#flushing)
    this.#unlisten()
    for (const { handle } of this.#views.values()) handle.stop()
    this.#views.clear()
    this.#questions.length = 0
  }

  // --- from the page ---

  #receive(data: Buffer, isBinary: boolean): void {
    if (this.#closed) return
    if (!this.#rate.take()) return this.close(CLOSE.tooMany, 'too many messages')
    try {
      if (!isBinary) throw new BeampeerError('DASHBOARD_BAD_MESSAGE', 'a page sent text')
      this.#take(checkMessage(decodeMessage(data), this.#context.limits))
    } catch (error) {
      this.close(CLOSE.badMessage, errorInfo(error).message.slice(0, 100))
    }
  }

  #take(message: ClientMessage): void {
    if (message.type === 'hello') return this.#hello(message.version)
    if (!this.#greeted) throw new BeampeerError('DASHBOARD_BAD_MESSAGE', 'a page did not say hello')
    switch (message.type) {
      case 'watch':
        return this.#watch(message)
      case 'unwatch':
        return this.#unwatch(message.id)
      case 'pause':
        return this.#views.get(message.id)?.handle.pause(message.paused)
      case 'ask':
      case 'action':
      case 'control':
        if (this.#questions.length >= this.#context.limits.maxDashboardQuestions)
          return this.close(CLOSE.tooMany, 'too many questions')
        this.#questions.push(message)
        void this.#answerAll()
    }
  }

  #hello(version: number): void {
    clearTimeout(this.#helloTimer)
    if (version !== DASHBOARD_PROTOCOL) return this.close(CLOSE.version, 'another version')
    this.#greeted = true
    this.#welcome()
  }

  #watch({ id, view }: ClientMessage & { type: 'watch' }): void {
    this.#unwatch(id)
    if (this.#views.size >= this.#context.limits.maxDashboardViews)
      return this.close(CLOSE.tooMany, 'too many views')
    const listener = {
      changed: () => {
        const watched = this.#views.get(id)
        if (watched !== undefined) watched.dirty = true
        this.#schedule()
      },
    }
    const handle = this.#context.views.watch(view, listener)
    const dirty = handle.value !== undefined || handle.error !== undefined
    this.#views.set(id, { handle, kind: view.kind, told: undefined, toldError: undefined, dirty })
    if (dirty) this.#schedule()
  }

  #unwatch(id: number): void {
    this.#views.get(id)?.handle.stop()
    this.#views.delete(id)
  }

  /** One after the other, and none while the page does not read its answers. */
  async #answerAll(): Promise<void> {
    if (this.#answering) return
    this.#answering = true
    for (let next = this.#questions[0]; next !== undefined && !this.#closed; next = this.#questions[0]) {
      const reply = await this.#answer(next)
      this.#questions.shift()
      await this.#send(reply)
    }
    this.#answering = false
  }

  async #answer(message: ClientMessage & { type: 'ask' | 'action' | 'control' }): Promise<Reply> {
    const { id } = message
    try {
      return { type: 'reply', id, ok: true, result: await this.#result(message) }
    } catch (error) {
      return { type: 'reply', id, ok: false, error: errorInfo(error) }
    }
  }

  async #result(
    message: ClientMessage & { type: 'ask' | 'action' | 'control' },
  ): Promise<Extract<Reply, { ok: true }>['result']> {
    const { source, limits } = this.#context
    if (message.type === 'action') {
      const returned = await this.#context.act(message.action)
      return { returned: termTrees(limits)(returned) }
    }
    if (message.type === 'control') {
      if (source.replay === undefined)
        throw new BeampeerError('DASHBOARD_NO_REPLAY', 'this dashboard replays nothing')
      await source.replay.control(message.control)
      return true
    }
    const { question } = message
    if (question.kind === 'history') return this.#context.history(question)
    return source.fleet.events(question.before - limits.maxDashboardEvents, question.before)
  }

  // --- to the page ---

  #welcome(): void {
    const { source, limits } = this.#context
    const { fleet } = source
    const nodes = [...fleet.states.values()]
    const { nextEvent } = fleet
    const { events, firstEvent } = fleet.events(nextEvent - limits.maxDashboardEvents, nextEvent)
    this.#told = new Map(nodes.map((state) => [state.node, state]))
    this.#dirty.clear()
    this.#toldEvents = nextEvent
    void this.#send({
      ...this.#context.welcome(),
      at: source.now(),
      nodes,
      history: this.#context.sparks(),
      events,
      firstEvent,
    })
  }

  /** Once a turn of the event loop, whatever changes in it. */
  #schedule(): void {
    if (this.#flushing !== undefined || this.#closed || !this.#greeted) return
    this.#flushing = setImmediate(() => {
      this.#flushing = undefined
      this.#flush()
    })
  }

  #flush(): void {
    const { source, limits } = this.#context
    if (this.#closed || this.#socket.bufferedAmount > limits.maxDashboardQueuedBytes) return
    const nodes = [...this.#dirty].flatMap((node) => this.#nodeDelta(node) ?? [])
    this.#dirty.clear()
    if (nodes.length > 0) void this.#send({ type: 'status', nodes })
    const { nextEvent } = source.fleet
    if (nextEvent > this.#toldEvents) {
      const to = Math.min(nextEvent, this.#toldEvents + limits.maxDashboardEvents)
      const { events, firstEvent } = source.fleet.events(this.#toldEvents, to)
      // Some are forgotten already: the page begins anew.
      if (firstEvent !== this.#toldEvents) return this.#welcome()
      this.#toldEvents = to
      void this.#send({ type: 'events', events })
    }
    for (const [id, watched] of this.#views) if (watched.dirty) this.#flushView(id, watched)
    if (this.#replayDirty && source.replay !== undefined)
      void this.#send({ type: 'replay', replay: source.replay.state() })
    this.#replayDirty = false
    if (this.#recording !== undefined) void this.#send({ type: 'recording', recording: this.#recording })
    this.#recording = undefined
  }

  #nodeDelta(node: string): NodeDelta | undefined {
    const state = this.#context.source.fleet.states.get(node)
    const told = this.#told.get(node)
    if (state === undefined) {
      this.#told.delete(node)
      return told === undefined ? undefined : { node, removed: true }
    }
    this.#told.set(node, state)
    return nodeDelta(told, state)
  }

  #flushView(id: number, watched: Watched): void {
    watched.dirty = false
    const { value, error } = watched.handle
    const delta =
      value === undefined || value === watched.told ? {} : viewDelta(watched.kind, watched.told, value)
    watched.told = value
    const said = error === undefined ? undefined : `${error.code} ${error.message}`
    if (delta.patch === undefined && delta.rows === undefined && said === watched.toldError) return
    watched.toldError = said
    void this.#send({ type: 'view', id, ...delta, ...(error === undefined ? {} : { error }) })
  }

  /** Settles when the message has left this process; what changed meanwhile is told then. */
  #send(message: ServerMessage): Promise<void> {
    if (this.#closed) return Promise.resolve()
    return new Promise((resolve) => {
      this.#socket.send(encodeMessage(message), { binary: true }, () => {
        resolve()
        if (this.#isBehind()) this.#schedule()
      })
    })
  }

  #isBehind(): boolean {
    return (
      this.#dirty.size > 0 ||
      this.#toldEvents < this.#context.source.fleet.nextEvent ||
      this.#replayDirty ||
      this.#recording !== undefined ||
      [...this.#views.values()].some(({ dirty }) => dirty)
    )
  }
}
