/** The frame around every page: header, what there is to say about the connection, the page itself, dialogs. */
import { useEffect, useRef } from 'preact/hooks'
import { announcement, Dialogs, helpOpen } from './parts/dialogs.js'
import { Empty, Loading } from './parts/basics.js'
import { Boundary } from './parts/boundary.js'
import { Auto, Dot, Moon, Ring, Sun } from './parts/icons.js'
import { ClusterPage } from './pages/cluster.js'
import { Door } from './pages/door.js'
import { FleetPage } from './pages/fleet.js'
import { NodePage } from './pages/node.js'
import { ReplayBar } from './pages/replay.js'
import { TimelinePage } from './pages/timeline.js'
import { bytes } from './state/format.js'
import { installShortcuts } from './state/keys.js'
import { clock, connection, nodes, recording, replay, retryNow, welcome } from './state/live.js'
import { route } from './state/router.js'
import { theme, type Theme } from './state/settings.js'

const THEMES: readonly Theme[] = ['system', 'light', 'dark']

export function App() {
  const { state } = connection.value
  const here = route.value
  const title = titleOf()
  const main = useRef<HTMLElement>(null)
  useEffect(() => installShortcuts(), [])
  useEffect(() => {
    document.title = title
  }, [title])
  // A new page begins at its top; its heading has the focus where what had it is gone.
  useEffect(() => {
    window.scrollTo(0, 0)
    const active = document.activeElement
    if (active === null || active === document.body) main.current?.querySelector<HTMLElement>('h1')?.focus()
  }, [here.page])
  const known = welcome.value !== undefined
  return (
    <>
      <a
        class="button skip"
        href="#main"
        onClick={(event) => {
          event.preventDefault()
          main.current?.focus()
        }}
      >
        Skip to the content
      </a>
      <Header />
      <Banners />
      <main
        id="main"
        class={`main ${known && (state === 'connecting' || state === 'lost') ? 'is-stale' : ''}`}
        ref={main}
        tabindex={-1}
        data-state={state}
      >
        {state === 'unauthorised' || state === 'version' ? (
          <Door />
        ) : known ? (
          <Boundary of={JSON.stringify(here)} heading>
            <Page />
          </Boundary>
        ) : (
          <Loading what="the fleet" />
        )}
      </main>
      {replay.value === undefined || state === 'unauthorised' ? null : <ReplayBar state={replay.value} />}
      <Dialogs />
      <p class="hidden" role="status" aria-live="polite">
        {announcement.value}
      </p>
    </>
  )
}

function Page() {
  const here = route.value
  switch (here.page) {
    case 'fleet':
      return <FleetPage />
    case 'cluster':
      return <ClusterPage />
    case 'timeline':
      return <TimelinePage />
    case 'node':
    case 'process':
      return <NodePage key={here.node} route={here} />
    case 'unknown':
      return (
        <>
          <h1 tabindex={-1}>Not found</h1>
          <Empty title="There is no such view">
            <a href="#/">To the fleet</a>
          </Empty>
        </>
      )
  }
}

function titleOf(): string {
  const here = route.value
  switch (here.page) {
    case 'fleet':
      return 'Fleet · beampeer'
    case 'cluster':
      return 'Cluster · beampeer'
    case 'timeline':
      return 'Timeline · beampeer'
    case 'node':
      return `${here.node} · ${here.tab} · beampeer`
    case 'process':
      return `${here.pid} · ${here.node} · beampeer`
    case 'unknown':
      return 'Not found · beampeer'
  }
}

function Header() {
  const { page } = route.value
  const link = (href: string, text: string, current: boolean) => (
    <a href={href} {...(current ? { 'aria-current': 'page' as const } : {})}>
      {text}
    </a>
  )
  const next = THEMES[(THEMES.indexOf(theme.value) + 1) % THEMES.length] ?? 'system'
  return (
    <header class="header">
      <div class="header-row">
        <a class="brand" href="#/">
          <img src="./icon.svg" alt="" />
          beampeer
        </a>
        <nav class="nav" aria-label="Pages">
          {link('#/', 'Fleet', page === 'fleet' || page === 'node' || page === 'process')}
          {link('#/cluster', 'Cluster', page === 'cluster')}
          {link('#/timeline', 'Timeline', page === 'timeline')}
        </nav>
        <div class="header-end">
          <Live />
          <button
            type="button"
            class="button icon quiet"
            aria-label={`Theme: ${theme.value}; change to ${next}`}
            title={`Theme: ${theme.value}`}
            onClick={() => (theme.value = next)}
          >
            {theme.value === 'light' ? <Sun /> : theme.value === 'dark' ? <Moon /> : <Auto />}
          </button>
          <button
            type="button"
            class="button icon quiet"
            aria-label="Keyboard shortcuts"
            title="Keyboard shortcuts"
            onClick={() => (helpOpen.value = true)}
          >
            ?
          </button>
        </div>
      </div>
    </header>
  )
}

function Live() {
  const { state } = connection.value
  const kept = recording.value
  const word =
    state === 'live'
      ? replay.value === undefined
        ? 'live'
        : 'replay'
      : state === 'connecting'
        ? 'connecting'
        : 'not live'
  return (
    <>
      {kept === undefined ? null : (
        <span class={`live ${kept.error === undefined ? '' : 'is-lost'} wide-only`} title={kept.file}>
          recording {bytes(kept.bytes)}
        </span>
      )}
      <span class={`live is-${state}`} role="status">
        {state === 'live' ? <Dot /> : <Ring />}
        {word}
      </span>
    </>
  )
}

function Banners() {
  const now = connection.value
  const kept = recording.value
  // Read each second, so that the count goes down.
  const left = now.state === 'lost' ? Math.max(0, Math.ceil((now.retryAt - Date.now()) / 1_000)) : 0
  void clock.value
  return (
    <>
      {now.state !== 'lost' ? null : (
        <section class="banner-wrap is-bad" aria-label="Connection">
          <div class="banner" data-banner="lost">
            <span role="status">
              {now.closing ? 'The server has ended.' : 'The connection to the server is lost.'}
              {nodes.value.size === 0 ? '' : ' What is shown is the last that was known.'}
            </span>
            <span>{left === 0 ? 'trying now' : `again in ${left} s`}</span>
            <button type="button" class="button" onClick={retryNow}>
              Try now
            </button>
          </div>
        </section>
      )}
      {kept?.error === undefined ? null : (
        <section class="banner-wrap is-bad" aria-label="Recording">
          <div class="banner" role="status">
            The recording has stopped: {kept.error}
          </div>
        </section>
      )}
    </>
  )
}
