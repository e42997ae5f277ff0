/** An Erlang term as a tree that opens, its pids as links. */
import { showTerm, AtomValue, CharlistValue, CutValue, MapValue, PidValue, PrintedValue, TupleValue, type TermValue } from '../../term-values.js' // prettier-ignore
import { processHref } from '../state/router.js'
import { nodes } from '../state/live.js'

/** Longer ones open. */
const LINE = 72
const OPEN_DEPTH = 2

export function Term({ value, depth = 0 }: { value: TermValue; depth?: number }) {
  const inner = parts(value)
  if (inner === undefined) return <Leaf value={value} />
  const text = showTerm(value)
  if (inner.items.length === 0 || (text.length <= LINE && !hasPid(value))) return <Flat value={value} />
  return (
    <details open={depth < OPEN_DEPTH}>
      <summary>
        {inner.open}
        <span class="muted"> {inner.items.length} </span>
        {inner.close}
      </summary>
      <ul>
        {inner.items.map(([key, item], at) => (
          <li key={at}>
            {key === undefined ? null : (
              <>
                <Flat value={key} /> {'=> '}
              </>
            )}
            <Term value={item} depth={depth + 1} />
          </li>
        ))}
      </ul>
    </details>
  )
}

interface Parts {
  readonly open: string
  readonly close: string
  readonly items: readonly (readonly [key: TermValue | undefined, item: TermValue])[]
}

function parts(value: TermValue): Parts | undefined {
  if (value instanceof TupleValue)
    return { open: '{', close: '}', items: value.elements.map((item) => [undefined, item]) }
  if (value instanceof MapValue) return { open: '#{', close: '}', items: value.entries }
  if (Array.isArray(value))
    return { open: '[', close: ']', items: (value as readonly TermValue[]).map((item) => [undefined, item]) }
  return undefined
}

function hasPid(value: TermValue): boolean {
  if (value instanceof PidValue) return true
  return (
    parts(value)?.items.some(([key, item]) => hasPid(item) || (key !== undefined && hasPid(key))) ?? false
  )
}

/** On one line. */
function Flat({ value }: { value: TermValue }) {
  const inner = parts(value)
  if (inner === undefined) return <Leaf value={value} />
  return (
    <>
      {inner.open}
      {inner.items.map(([key, item], at) => (
        <>
          {at === 0 ? '' : ', '}
          {key === undefined ? null : (
            <>
              <Flat value={key} />
              {' => '}
            </>
          )}
          <Flat value={item} />
        </>
      ))}
      {inner.close}
    </>
  )
}

function Leaf({ value }: { value: TermValue }) {
  if (value instanceof PidValue)
    return nodes.value.has(value.node) ? (
      <a href={processHref(value.node, value.text)}>{value.text}</a>
    ) : (
      <span title={value.node}>{value.text}</span>
    )
  if (value instanceof AtomValue || typeof value === 'boolean')
    return <span class="t-atom">{showTerm(value)}</span>
  if (typeof value === 'string' || value instanceof CharlistValue)
    return <span class="t-text">{showTerm(value)}</span>
  if (typeof value === 'number') return <span class="t-number">{showTerm(value)}</span>
  if (value instanceof CutValue || value instanceof PrintedValue)
    return <span class="muted">{showTerm(value)}</span>
  return <span>{showTerm(value)}</span>
}
