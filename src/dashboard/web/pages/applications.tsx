/** Running applications. */
import type { NodeState } from '../../protocol.js'
import type { ApplicationSample } from '../../samples.js'
import { PidLink } from '../parts/basics.js'
import { SampledView } from '../parts/sampled.js'
import type { Column } from '../parts/table.js'
import { nodeHref } from '../state/router.js'
import { useView } from '../state/use.js'

export function ApplicationsView({ node }: { node: NodeState }) {
  const columns: Column<ApplicationSample>[] = [
    { key: 'name', title: 'Name', width: 'w-l', sort: ({ name }) => name, cell: ({ name }) => <strong>{name}</strong>, hint: ({ name }) => name }, // prettier-ignore
    {
      key: 'version',
      title: 'Version',
      width: 'w-s',
      sort: ({ version }) => version,
      cell: ({ version }) => version,
    },
    { key: 'description', title: 'Description', wideOnly: true, sort: ({ description }) => description, cell: ({ description }) => description, hint: ({ description }) => description }, // prettier-ignore
    {
      key: 'supervisor',
      title: 'Supervisor',
      width: 'w-l',
      cell: ({ name, supervisor }) =>
        supervisor === undefined ? (
          <span class="muted">library</span>
        ) : (
          <>
            <PidLink node={node.node} pid={supervisor} />{' '}
            <a href={`${nodeHref(node.node, 'supervision')}?open=${encodeURIComponent(name)}`}>
              tree<span class="hidden"> of {name}</span>
            </a>
          </>
        ),
    },
  ]
  return (
    <SampledView
      {...useView({ kind: 'applications', node: node.node })}
      title="Applications"
      node={node.node}
      columns={columns}
      rowKey={({ name }) => name}
      text={({ name, description }) => `${name} ${description}`}
      sortBy="name"
      descending={false}
    />
  )
}
