/** Applications, their supervisors and what they supervise: a supervisor is asked when it is opened. */
import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import type { NodeState } from '../../protocol.js'
import type { TreeNode } from '../../samples.js'
import { Empty, ErrorNote, Loading, PidLink } from '../parts/basics.js'
import { Chevron, Dot } from '../parts/icons.js'
import { query } from '../state/router.js'
import { useView } from '../state/use.js'

export function SupervisionView({ node }: { node: NodeState }) {
  const { value, error } = useView({ kind: 'applications', node: node.node })
  const open = query.value.get('open')
  const trees = (value?.rows ?? []).filter(({ supervisor }) => supervisor !== undefined)
  return (
    <>
      <ErrorNote error={error} />
      {value === undefined ? (
        error === undefined ? (
          <Loading what="applications" />
        ) : null
      ) : trees.length === 0 ? (
        <Empty title="No application has a supervisor" />
      ) : (
        <section class="panel tree" aria-label="Supervision tree">
          {trees.map(({ name, supervisor = '' }) => (
            <Branch
              key={name}
              node={node.node}
              supervisor={supervisor}
              label={name}
              opened={name === open || trees.length === 1}
            >
              <strong>{name}</strong>
              <PidLink node={node.node} pid={supervisor} />
            </Branch>
          ))}
        </section>
      )}
    </>
  )
}

function Branch(props: {
  node: string
  supervisor: string
  /** For the button's name. */
  label: string
  opened?: boolean
  children: ComponentChildren
}) {
  const [open, setOpen] = useState(props.opened === true)
  return (
    <div>
      <div class="tree-row">
        <button
          type="button"
          class="tree-toggle"
          aria-expanded={open}
          aria-label={`Children of ${props.label}`}
          onClick={() => setOpen(!open)}
          onKeyDown={({ key }) => {
            if (key === 'ArrowRight') setOpen(true)
            if (key === 'ArrowLeft') setOpen(false)
          }}
        >
          <Chevron />
        </button>
        {props.children}
      </div>
      {open ? <Offspring node={props.node} supervisor={props.supervisor} /> : null}
    </div>
  )
}

function Offspring({ node, supervisor }: { node: string; supervisor: string }) {
  const { value, error } = useView({ kind: 'children', node, supervisor })
  if (value === undefined)
    return error === undefined ? (
      <p class="muted tree-row">asking {supervisor} …</p>
    ) : (
      <ErrorNote error={error} />
    )
  return (
    <>
      <ErrorNote error={error} />
      <ul>
        {value.children.map((child, at) => (
          <li key={`${child.id} ${child.pid ?? at}`}>
            <Child node={node} child={child} />
          </li>
        ))}
        {value.children.length === 0 ? <li class="tree-row muted">no children</li> : null}
        {value.total > value.children.length ? (
          <li class="tree-row muted">
            the first {value.children.length} of {value.total}
          </li>
        ) : null}
      </ul>
    </>
  )
}

function Child({ node, child }: { node: string; child: TreeNode }) {
  const { id, pid, type, local } = child
  const text = (
    <>
      <span class="cut" title={id}>
        {id}
      </span>
      <span class="rest">
        {pid === undefined ? (
          'does not run'
        ) : local ? (
          <PidLink node={node} pid={pid} />
        ) : (
          `${pid} of another node`
        )}
      </span>
    </>
  )
  if (type === 'supervisor' && pid !== undefined && local)
    return (
      <Branch node={node} supervisor={pid} label={id}>
        {text}
      </Branch>
    )
  return (
    <div class="tree-row">
      <span class="tree-leaf">
        <Dot />
      </span>
      {text}
    </div>
  )
}
