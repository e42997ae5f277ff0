/** ETS tables. */
import type { NodeState } from '../../protocol.js'
import type { EtsRow } from '../../samples.js'
import { PidLink } from '../parts/basics.js'
import { SampledView } from '../parts/sampled.js'
import type { Column } from '../parts/table.js'
import { bytes, whole } from '../state/format.js'
import { useView } from '../state/use.js'

export function EtsView({ node }: { node: NodeState }) {
  const columns: Column<EtsRow>[] = [
    {
      key: 'name',
      title: 'Name',
      sort: ({ name }) => name,
      cell: ({ name }) => <strong>{name}</strong>,
      hint: ({ id, name }) => (id === name ? name : `${name} ${id}`),
    },
    { key: 'objects', title: 'Objects', width: 'w-s', numeric: true, sort: ({ objects }) => objects, cell: ({ objects }) => whole(objects) }, // prettier-ignore
    { key: 'memory', title: 'Memory', width: 'w-m', numeric: true, sort: ({ memory }) => memory, cell: ({ memory }) => bytes(memory) }, // prettier-ignore
    {
      key: 'type',
      title: 'Type',
      width: 'w-m',
      wideOnly: true,
      sort: ({ type }) => type,
      cell: ({ type }) => type,
    },
    { key: 'protection', title: 'Protection', width: 'w-m', wideOnly: true, sort: ({ protection }) => protection, cell: ({ protection }) => protection }, // prettier-ignore
    { key: 'owner', title: 'Owner', width: 'w-m', wideOnly: true, cell: ({ owner }) => <PidLink node={node.node} pid={owner} /> }, // prettier-ignore
  ]
  return (
    <SampledView
      {...useView({ kind: 'ets', node: node.node })}
      title="ETS tables"
      node={node.node}
      columns={columns}
      rowKey={({ id }) => id}
      text={({ name, id, owner, type }) => `${name} ${id} ${owner} ${type}`}
      sortBy="memory"
    />
  )
}
