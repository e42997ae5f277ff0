/** One process. Its dictionary, state and messages are read only when they are asked for. */
import { useMemo, useRef, useState } from 'preact/hooks'
import type { NodeState, ProcessView } from '../../protocol.js'
import type { TermValue } from '../../term-values.js'
import { Empty, ErrorNote, Loading, Status } from '../parts/basics.js'
import { askFor } from '../parts/dialogs.js'
import { Spark } from '../parts/spark.js'
import { Term } from '../parts/term.js'
import { bytes, whole } from '../state/format.js'
import { connection, welcome } from '../state/live.js'
import { nodeHref } from '../state/router.js'
import { useView } from '../state/use.js'

type Alive = Extract<ProcessView, { readonly alive: true }>
type Extra = 'dictionary' | 'state' | 'messages'

export function ProcessPage({ node, pid }: { node: NodeState; pid: string }) {
  const [wanted, setWanted] = useState<Readonly<Record<Extra, boolean>>>({
    dictionary: false,
    state: false,
    messages: false,
  })
  const { value, error } = useView({ kind: 'process', node: node.node, pid, ...wanted })
  const last = useRef<Alive | undefined>(undefined)
  if (value?.alive === true) last.current = value
  const process = value?.alive === true ? value : last.current
  const gone = value?.alive === false
  const actions = welcome.value?.allowActions === true
  return (
    <>
      <div class="page-head">
        <div>
          <p>
            <a href={nodeHref(node.node, 'processes')}>Processes</a>
          </p>
          <h2 class="mono large">
            {process?.registeredName === undefined ? pid : `${process.registeredName} ${pid}`}
          </h2>
          {gone ? (
            <Status health="bad">has ended</Status>
          ) : process === undefined ? null : (
            <Run process={process} />
          )}
        </div>
        {!actions || gone ? null : (
          <button
            type="button"
            class="button danger"
            disabled={connection.value.state !== 'live' || node.status !== 'up'}
            onClick={() => askFor({ kind: 'exit', node: node.node, pid, reason: 'shutdown' })}
          >
            End process …
          </button>
        )}
      </div>
      <ErrorNote error={error} />
      {process !== undefined ? (
        <Details process={process} wanted={wanted} onWant={setWanted} />
      ) : gone ? (
        <Empty title="There is no such process">It has ended, or never was.</Empty>
      ) : error === undefined ? (
        <Loading what="the process" />
      ) : null}
    </>
  )
}

function Run({ process }: { process: Alive }) {
  const busy = process.status === 'running' || process.status === 'runnable'
  return (
    <Status health={process.status === 'exiting' ? 'bad' : busy ? 'ok' : 'idle'}>{process.status}</Status>
  )
}

/** Figures of a process since it is looked at. */
const POINTS = 90

function useTrail(process: Alive) {
  const trail = useMemo(() => ({ last: undefined as Alive | undefined, memory: [] as number[], queue: [] as number[], reductions: [] as number[] }), []) // prettier-ignore
  if (trail.last !== process) {
    if (trail.last !== undefined) trail.reductions.push(process.reductions - trail.last.reductions)
    trail.last = process
    trail.memory.push(process.memory)
    trail.queue.push(process.messageQueueLen)
    for (const values of [trail.memory, trail.queue, trail.reductions])
      values.splice(0, values.length - POINTS)
  }
  return trail
}

function Details(props: {
  process: Alive
  wanted: Readonly<Record<Extra, boolean>>
  onWant(wanted: Readonly<Record<Extra, boolean>>): void
}) {
  const { process } = props
  const trail = useTrail(process)
  return (
    <>
      <dl class="figures">
        <div>
          <dt>Memory</dt>
          <dd>{bytes(process.memory)}</dd>
          <dd>
            <Spark values={trail.memory} series={2} />
          </dd>
        </div>
        <div>
          <dt>Reductions</dt>
          <dd>{whole(process.reductions)}</dd>
          <dd>
            <Spark values={trail.reductions} top={10} series={4} />
          </dd>
        </div>
        <div>
          <dt>Messages waiting</dt>
          <dd>{whole(process.messageQueueLen)}</dd>
          <dd>
            <Spark values={trail.queue} top={10} series={3} />
          </dd>
        </div>
      </dl>
      <div class="grid halves">
        <section class="panel" aria-label="Facts">
          <dl class="facts">
            <Fact name="Initial call" value={process.initialCall} />
            <Fact name="Current function" value={process.currentFunction} />
            <dt>Group leader</dt>
            <dd>
              <Term value={process.groupLeader ?? '–'} />
            </dd>
            <Fact name="Priority" value={process.priority} />
            <Fact name="Traps exits" value={process.trapExit ? 'yes' : 'no'} />
            <Fact name="Heap" value={bytes(process.heapBytes)} />
            <Fact name="Heap with generations" value={bytes(process.totalHeapBytes)} />
            <Fact name="Stack" value={bytes(process.stackBytes)} />
          </dl>
        </section>
        <section class="panel" aria-label="Relations">
          <dl class="facts">
            <Related name="Links" of={process.links} />
            <Related name="Monitors" of={process.monitors} />
            <Related name="Monitored by" of={process.monitoredBy} />
          </dl>
        </section>
      </div>
      <section class="panel" aria-labelledby="stack">
        <div class="panel-head">
          <h2 id="stack">Stack</h2>
        </div>
        {process.stackTrace.length === 0 ? (
          <p class="muted">Empty.</p>
        ) : (
          <ol class="term">
            {process.stackTrace.map((frame, at) => (
              <li key={at}>{frame}</li>
            ))}
          </ol>
        )}
      </section>
      <Extras {...props} />
    </>
  )
}

function Fact({ name, value }: { name: string; value: string | undefined }) {
  return (
    <>
      <dt>{name}</dt>
      <dd class="mono">{value ?? '–'}</dd>
    </>
  )
}

/** Most that are listed. */
const MOST = 60

function Related({ name, of }: { name: string; of: readonly TermValue[] }) {
  return (
    <>
      <dt>
        {name} <span class="muted">{of.length}</span>
      </dt>
      <dd>
        {of.length === 0 ? (
          <span class="muted">none</span>
        ) : (
          <ul class="chips term">
            {of.slice(0, MOST).map((one, at) => (
              <li key={at}>
                <Term value={one} />
              </li>
            ))}
            {of.length > MOST ? <li class="muted">{of.length - MOST} more</li> : null}
          </ul>
        )}
      </dd>
    </>
  )
}

const EXTRAS = [
  { key: 'dictionary', title: 'Dictionary', note: 'The process dictionary is copied from the node.' },
  { key: 'state', title: 'State', note: 'The process is asked for its state by sys:get_state/2, and has to answer itself.' }, // prettier-ignore
  { key: 'messages', title: 'Messages', note: 'The waiting messages are copied from the node; long queues are left alone.' }, // prettier-ignore
] as const

function Extras(props: Parameters<typeof Details>[0]) {
  const { process, wanted, onWant } = props
  return (
    <div class="grid halves">
      {EXTRAS.map(({ key, title, note }) => (
        <section key={key} class="panel" aria-labelledby={`extra-${key}`} data-extra={key}>
          <div class="panel-head">
            <h2 id={`extra-${key}`}>{title}</h2>
            <button
              type="button"
              class="button"
              aria-pressed={wanted[key]}
              onClick={() => onWant({ ...wanted, [key]: !wanted[key] })}
            >
              {wanted[key] ? 'Shown' : 'Show'}
              <span class="hidden"> {title}</span>
            </button>
          </div>
          {wanted[key] ? <ExtraValue of={key} process={process} /> : <p class="muted">{note}</p>}
        </section>
      ))}
    </div>
  )
}

function ExtraValue({ of, process }: { of: Extra; process: Alive }) {
  if (process[of] === undefined)
    return of === 'messages' && process.messageQueueLen > 0 ? (
      <p class="muted">{whole(process.messageQueueLen)} messages wait: too many to be read.</p>
    ) : (
      <Loading what={`the ${of}`} />
    )
  if (of === 'state') {
    const { state } = process
    if (state === undefined) return null
    return 'error' in state ? <p class="is-warn">{state.error}</p> : <div class="term"><Term value={state.value} /></div> // prettier-ignore
  }
  const rows =
    of === 'messages'
      ? (process.messages ?? []).map((value) => ({ key: undefined, value }))
      : (process.dictionary ?? [])
  if (rows.length === 0) return <p class="muted">Empty.</p>
  return (
    <ul class="term">
      {rows.map(({ key, value }, at) => (
        <li key={at}>
          {key === undefined ? null : (
            <>
              <Term value={key} depth={9} />
              {' => '}
            </>
          )}
          <Term value={value} depth={1} />
        </li>
      ))}
    </ul>
  )
}
