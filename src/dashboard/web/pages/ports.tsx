/** Ports, and the sockets of inet and of the module socket. */
import { useSignal } from '@preact/signals'
import type { NodeState } from '../../protocol.js'
import type { PortRow, SocketRow } from '../../samples.js'
import { FilterField, PidLink } from '../parts/basics.js'
import { SampledPanel } from '../parts/sampled.js'
import type { Column } from '../parts/table.js'
import { bytes, NONE } from '../state/format.js'
import { query, setQuery } from '../state/router.js'
import { useView } from '../state/use.js'

export function PortsView({ node }: { node: NodeState }) {
  const filter = useSignal(query.value.get('filter') ?? '')
  const ports = useView({ kind: 'ports', node: node.node })
  const sockets = useView({ kind: 'sockets', node: node.node })
  return (
    <>
      <div class="toolbar">
        <FilterField
          label="Filter ports and sockets"
          value={filter.value}
          onInput={(text) => {
            filter.value = text
            setQuery({ filter: text })
          }}
        />
      </div>
      <SampledPanel
        {...ports}
        title="Ports"
        node={node.node}
        columns={portColumns(node.node)}
        rowKey={({ port }) => port}
        text={({ port, name, connected }) => `${port} ${name} ${connected}`}
        sortBy="outputBytes"
        filter={filter.value}
      />
      <SampledPanel
        {...sockets}
        title="Sockets"
        node={node.node}
        columns={socketColumns(node.node)}
        rowKey={({ id }) => id}
        text={({ id, owner, local, remote, protocol }) => `${id} ${owner} ${local} ${remote} ${protocol}`}
        sortBy="receivedBytes"
        filter={filter.value}
      />
    </>
  )
}

function amount<Row>(key: keyof Row & string, title: string, wideOnly = false): Column<Row> {
  const value = (row: Row) => row[key] as unknown as number
  return { key, title, width: 'w-m', numeric: true, wideOnly, sort: value, cell: (row) => bytes(value(row)) }
}

const portColumns = (node: string): Column<PortRow>[] => [
  { key: 'port', title: 'Port', width: 'w-m', cell: ({ port }) => <code>{port}</code> },
  { key: 'name', title: 'Name', sort: ({ name }) => name, cell: ({ name }) => <strong>{name}</strong>, hint: ({ name }) => name }, // prettier-ignore
  amount('inputBytes', 'In'),
  amount('outputBytes', 'Out'),
  amount('queueBytes', 'Queue', true),
  amount('memory', 'Memory', true),
  {
    key: 'osPid',
    title: 'OS pid',
    width: 'w-s',
    numeric: true,
    wideOnly: true,
    cell: ({ osPid }) => osPid ?? NONE,
  },
  { key: 'connected', title: 'Owner', width: 'w-m', wideOnly: true, cell: ({ connected }) => <PidLink node={node} pid={connected} /> }, // prettier-ignore
]

const socketColumns = (node: string): Column<SocketRow>[] => [
  { key: 'id', title: 'Socket', width: 'w-m', cell: ({ id }) => <code>{id}</code>, hint: ({ id }) => id },
  { key: 'protocol', title: 'Kind', width: 'w-s', sort: ({ protocol }) => protocol, cell: ({ protocol, kind }) => `${protocol} ${kind === 'socket' ? 'nif' : ''}` }, // prettier-ignore
  { key: 'local', title: 'Local', wideOnly: true, sort: ({ local }) => local ?? '', cell: ({ local }) => <code>{local ?? NONE}</code> }, // prettier-ignore
  { key: 'remote', title: 'Remote', wideOnly: true, sort: ({ remote }) => remote ?? '', cell: ({ remote }) => <code>{remote ?? NONE}</code> }, // prettier-ignore
  amount('receivedBytes', 'In'),
  amount('sentBytes', 'Out'),
  { key: 'owner', title: 'Owner', width: 'w-m', wideOnly: true, cell: ({ owner }) => <PidLink node={node} pid={owner} /> }, // prettier-ignore
]
