/** One node: its head, its tabs, and the view that the address names. */
import type { NodeState } from '../../protocol.js'
import { Empty, NodeStatusMark } from '../parts/basics.js'
import { Boundary } from '../parts/boundary.js'
import { clock } from '../state/live.js'
import { duration } from '../state/format.js'
import { NODE_TABS, nodeHref, type NodeTab, type Route } from '../state/router.js'
import { useNode } from '../state/use.js'
import { ApplicationsView } from './applications.js'
import { EtsView } from './ets.js'
import { version } from './fleet.js'
import { Overview } from './overview.js'
import { PortsView } from './ports.js'
import { ProcessPage } from './process.js'
import { ProcessesView } from './processes.js'
import { SupervisionView } from './supervision.js'

const TITLES: Readonly<Record<NodeTab, string>> = {
  overview: 'Overview',
  processes: 'Processes',
  supervision: 'Supervision',
  ets: 'ETS',
  ports: 'Ports and sockets',
  applications: 'Applications',
}

type NodeRoute = Extract<Route, { readonly node: string }>

export function NodePage({ route }: { route: NodeRoute }) {
  const node = useNode(route.node)
  if (node === undefined)
    return (
      <>
        <h1 tabindex={-1}>{route.node}</h1>
        <Empty title="This node is not watched">
          <a href="#/">To the fleet</a>
        </Empty>
      </>
    )
  const tab = route.page === 'process' ? 'processes' : route.tab
  const tabs = node.kind === 'beam' ? NODE_TABS : (['overview'] as const)
  return (
    <>
      <div class="page-head">
        <div>
          <h1 tabindex={-1}>{node.node}</h1>
          <p class="chips">
            <NodeStatusMark node={node} />
            {node.sample === undefined ? null : <span>{version(node)}</span>}
            {node.sample === undefined || node.status !== 'up' ? null : (
              <span>up {duration(node.sample.uptimeMs)}</span>
            )}
          </p>
        </div>
      </div>
      <nav class="tabs" aria-label={`Views of ${node.node}`}>
        {tabs.map((name) => (
          <a
            key={name}
            href={nodeHref(node.node, name)}
            {...(name === tab ? { 'aria-current': 'page' as const } : {})}
          >
            {TITLES[name]}
          </a>
        ))}
      </nav>
      <Trouble node={node} />
      <Boundary of={JSON.stringify(route)}>
        <View node={node} route={route} />
      </Boundary>
    </>
  )
}

/** What of the node is not as it should be. */
function Trouble({ node }: { node: NodeState }) {
  if (node.status === 'down')
    return (
      <div class="note is-bad" role="status">
        <p>
          Down for {duration(clock.value - node.since)}: <strong>{node.reason ?? 'reason unknown'}</strong>
          {node.error === undefined || node.error === node.reason ? '' : ` · ${node.error}`}
          {node.sample === undefined ? '' : ' · the figures are its last'}
        </p>
      </div>
    )
  if (node.error === undefined) return null
  return (
    <div class="note" role="status">
      <p>{node.error}</p>
    </div>
  )
}

function View({ node, route }: { node: NodeState; route: NodeRoute }) {
  if (route.page === 'process') return <ProcessPage key={route.pid} node={node} pid={route.pid} />
  if (node.kind === 'beampeer' && route.tab !== 'overview')
    return (
      <Empty title="A beampeer node has no such view">It is no BEAM: its figures are in the overview.</Empty>
    )
  switch (route.tab) {
    case 'overview':
      return <Overview node={node} />
    case 'processes':
      return <ProcessesView node={node} />
    case 'supervision':
      return <SupervisionView node={node} />
    case 'ets':
      return <EtsView node={node} />
    case 'ports':
      return <PortsView node={node} />
    case 'applications':
      return <ApplicationsView node={node} />
  }
}
