/** For tests of the dashboard's server: made-up nodes, recordings, and a page without a browser. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { WebSocket } from 'ws'
import { Mirror } from '../../src/dashboard/mirror.js'
import {
  DASHBOARD_PROTOCOL,
  decodeMessage,
  encodeMessage,
  type Action,
  type ClientMessage,
  type Control,
  type NodeState,
  type Question,
  type Reply,
  type ServerMessage,
  type ViewRequest,
} from '../../src/dashboard/protocol.js'
import { encodeFrame, type RecordedFrame } from '../../src/dashboard/record-format.js'
import type { Dashboard } from '../../src/dashboard/server.js'
import type { NodeSample } from '../../src/dashboard/samples.js'

const folders: string[] = []

/** A folder of the test file's own; {@link removeFolders} takes it away. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'beampeer-dashboard-'))
  folders.push(folder)
  return folder
}

export async function removeFolders(): Promise<void> {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true })
}

/** A page that is enough for the server. */
export async function pageFolder(): Promise<string> {
  const folder = await temporaryFolder()
  await writeFile(join(folder, 'index.html'), '<!doctype html><title>page</title>')
  return folder
}

export function sampleOf(node: string, at: number, change: Partial<NodeSample> = {}): NodeSample {
  const share = { used: 10, limit: 1_000, percent: 1 }
  return {
    node,
    at,
    roundTripMs: 1.5,
    otpRelease: '27',
    ertsVersion: '15.0',
    architecture: 'x86_64',
    uptimeMs: at % 1_000_000,
    schedulers: { total: 4, online: 4, dirtyCpu: 4, dirtyIo: 10 },
    runQueue: 1,
    runQueues: [1, 0, 0, 0, 0, 0],
    memory: {
      total: 50_000_000,
      processes: 20_000_000,
      processesUsed: 19_000_000,
      system: 30_000_000,
      atom: 400_000,
      atomUsed: 390_000,
      binary: 1_000_000,
      code: 9_000_000,
      ets: 800_000,
    },
    counters: {
      reductions: at,
      inputBytes: 1,
      outputBytes: 2,
      garbageCollections: 3,
      reclaimedBytes: 4,
      contextSwitches: 5,
      runtimeMs: 6,
      wallClockMs: 7,
    },
    rates: {
      reductions: 1_000,
      inputBytes: 10,
      outputBytes: 20,
      garbageCollections: 30,
      reclaimedBytes: 40,
      contextSwitches: 50,
      cpu: 0.25,
    },
    limits: { processes: share, ports: share, atoms: share, ets: share },
    links: [
      {
        peer: 'other@host',
        type: 'visible',
        queueBytes: 0,
        receivedBytes: at,
        sentBytes: 1,
        receivedRate: 5,
        sentRate: 6,
        own: false,
      },
    ],
    ...change,
  }
}

export function stateOf(node: string, at: number, change: Partial<NodeSample> = {}): NodeState {
  return {
    node,
    kind: 'beam',
    status: 'up',
    since: 1_000,
    reason: undefined,
    error: undefined,
    sample: sampleOf(node, at, change),
  }
}

/** A recording's head. */
export function headAt(at: number): RecordedFrame {
  return {
    type: 'head',
    at,
    format: 'beampeer-dashboard',
    version: 1,
    beampeerVersion: '0.1.0',
    intervalMs: 1_000,
  }
}

/** A file with frames; gives its name. */
export async function recordingOf(frames: readonly RecordedFrame[]): Promise<string> {
  const file = join(await temporaryFolder(), 'recording')
  await writeFile(file, Buffer.concat(frames.map(encodeFrame)))
  return file
}

/** Signs in with a new link and gives the cookie. */
export async function signIn(dashboard: Dashboard): Promise<string> {
  const response = await fetch(dashboard.newLink(), { redirect: 'manual' })
  return (response.headers.get('set-cookie') ?? '').split(';')[0] ?? ''
}

/** What a page is, without a browser. */
export class Page {
  readonly mirror = new Mirror()
  readonly messages: ServerMessage[] = []
  /** Bytes of all messages. */
  bytes = 0
  readonly socket: WebSocket
  /** The close code. */
  readonly closed: Promise<number>
  readonly #waiting = new Set<() => void>()
  #nextId = 1_000

  /** A page that has its welcome. */
  static async open(dashboard: Dashboard, cookie?: string): Promise<Page> {
    const page = await Page.connect(dashboard, cookie)
    page.send({ type: 'hello', version: DASHBOARD_PROTOCOL })
    await page.until(() => page.mirror.welcome !== undefined)
    return page
  }

  /** A page that has said nothing yet. */
  static async connect(dashboard: Dashboard, cookie?: string): Promise<Page> {
    const page = new Page(dashboard, cookie ?? (await signIn(dashboard)))
    await new Promise((resolve, reject) => page.socket.once('open', resolve).once('error', reject))
    return page
  }

  constructor(dashboard: Dashboard, cookie: string) {
    const { origin, host } = new URL(dashboard.url)
    this.socket = new WebSocket(`ws://${host}/live`, { headers: { cookie }, origin })
    this.closed = new Promise((resolve) => this.socket.once('close', resolve))
    this.socket.on('error', () => undefined)
    this.socket.on('message', (data: Buffer) => {
      this.bytes += data.length
      const message = decodeMessage(data) as ServerMessage
      this.messages.push(message)
      this.mirror.take(message)
      for (const look of [...this.#waiting]) look()
    })
  }

  send(message: ClientMessage): void {
    this.socket.send(encodeMessage(message))
  }

  watch(id: number, view: ViewRequest): void {
    this.mirror.watch(id, view)
    this.send({ type: 'watch', id, view })
  }

  ask(question: Question): Promise<Reply> {
    return this.#request((id) => ({ type: 'ask', id, question }))
  }

  act(action: Action): Promise<Reply> {
    return this.#request((id) => ({ type: 'action', id, action }))
  }

  control(control: Control): Promise<Reply> {
    return this.#request((id) => ({ type: 'control', id, control }))
  }

  /** Settles when `wanted` is true after some message. */
  async until(wanted: () => boolean): Promise<void> {
    if (wanted()) return
    await new Promise<void>((resolve, reject) => {
      const look = () => {
        if (!wanted()) return
        this.#waiting.delete(look)
        resolve()
      }
      this.#waiting.add(look)
      void this.closed.then((code) => reject(new Error(`closed with ${code} before what was waited for`)))
    })
  }

  async close(): Promise<void> {
    this.socket.terminate()
    await this.closed
  }

  async #request(make: (id: number) => ClientMessage): Promise<Reply> {
    const id = this.#nextId++
    this.send(make(id))
    const found = () => this.messages.find((message) => message.type === 'reply' && message.id === id)
    await this.until(() => found() !== undefined)
    return found() as Reply
  }
}
