/** Status, meters, pids, and what is said where there is nothing to show. */
import type { ComponentChildren } from 'preact'
import type { ErrorInfo, NodeState } from '../../protocol.js'
import { nodes } from '../state/live.js'
import { nodeHref, processHref } from '../state/router.js'
import { isStale } from '../state/use.js'
import { Dot, Ring, Square, Triangle } from './icons.js'

export type Health = 'ok' | 'warn' | 'bad' | 'idle'

/** Percent of a limit from which a node is in need of a look, and from which it is in trouble. */
const WARN_PERCENT = 80
const BAD_PERCENT = 95

/** The worst there is to say of a node, in a word. */
export function healthOf(node: NodeState): { readonly health: Health; readonly word: string } {
  const { sample, status } = node
  if (status === 'down') return { health: 'bad', word: 'down' }
  if (status === 'connecting' || sample === undefined) return { health: 'idle', word: 'connecting' }
  if (isStale(node)) return { health: 'warn', word: 'stale' }
  const fullest = Object.entries(sample.limits).reduce((a, b) => (b[1].percent > a[1].percent ? b : a))
  if (fullest[1].percent >= BAD_PERCENT) return { health: 'bad', word: `${fullest[0]} full` }
  if (fullest[1].percent >= WARN_PERCENT) return { health: 'warn', word: `${fullest[0]} high` }
  if (sample.runQueue > 4 * Math.max(1, sample.schedulers.online)) return { health: 'warn', word: 'busy' }
  return { health: 'ok', word: 'up' }
}

const SHAPES = { ok: Dot, warn: Triangle, bad: Square, idle: Ring }

export function Status({ health, children }: { health: Health; children: ComponentChildren }) {
  const Shape = SHAPES[health]
  return (
    <span class={`status is-${health}`}>
      <Shape />
      {children}
    </span>
  )
}

export function NodeStatusMark({ node }: { node: NodeState }) {
  const { health, word } = healthOf(node)
  return <Status health={health}>{word}</Status>
}

/** A bar for a share whose number stands beside it. `percent` of 100. */
export function Meter({ percent }: { percent: number }) {
  const health = percent >= BAD_PERCENT ? 'is-bad' : percent >= WARN_PERCENT ? 'is-warn' : 'series-1'
  return (
    <div class={`meter ${health}`} aria-hidden="true">
      <span style={{ width: `${Math.min(100, Math.max(0, percent))}%` }} />
    </div>
  )
}

const LOCAL_PID = /^<0\.\d+\.\d+>$/

/** A pid that leads to its process, where there is one to see: on its own node. */
export function PidLink({
  node,
  pid,
  children,
}: {
  node: string
  pid: string
  children?: ComponentChildren
}) {
  if (!LOCAL_PID.test(pid)) return <code>{children ?? pid}</code>
  return (
    <a class="mono" href={processHref(node, pid)}>
      {children ?? pid}
    </a>
  )
}

/** A node's name, as a link when it is watched. */
export function NodeLink({ name }: { name: string }) {
  return nodes.value.has(name) ? <a href={nodeHref(name)}>{name}</a> : <span>{name}</span>
}

export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <Ring />
      <p>
        <strong>{title}</strong>
      </p>
      {children === undefined ? null : <p>{children}</p>}
    </div>
  )
}

export function Loading({ what }: { what: string }) {
  return (
    <div class="empty" role="status">
      <p>Reading {what} …</p>
    </div>
  )
}

/** Why the last reading failed; what was read before stays below it. */
export function ErrorNote({ error }: { error: ErrorInfo | undefined }) {
  if (error === undefined) return null
  return (
    <div class="note" role="status">
      <Triangle16 />
      <p>
        {error.message} <code>{error.code}</code>
      </p>
    </div>
  )
}

const Triangle16 = () => (
  <span class="status">
    <Triangle />
  </span>
)

export function Segments<Value extends string>(props: {
  label: string
  value: Value
  options: readonly { readonly value: Value; readonly label: string }[]
  onChange(value: Value): void
}) {
  return (
    <div class="segments" role="group" aria-label={props.label}>
      {props.options.map(({ value, label }) => (
        <button
          key={value}
          type="button"
          aria-pressed={value === props.value}
          onClick={() => props.onChange(value)}
        >
          {label}
        </button>
      ))}
    </div>
  )
}

/** A field that narrows a list; `/` goes there. */
export function FilterField(props: { label: string; value: string; onInput(value: string): void }) {
  return (
    <label class="field grow">
      <span class="hidden">{props.label}</span>
      <input
        type="search"
        data-filter
        placeholder={`${props.label}  ( / )`}
        value={props.value}
        autocomplete="off"
        spellcheck={false}
        onInput={(event) => props.onInput(event.currentTarget.value)}
      />
    </label>
  )
}
