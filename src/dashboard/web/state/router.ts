/**
 * Where the page is: `#/nodes/app@host/processes?by=memory`. In the fragment, so that the page works at any path and a
 * reload needs nothing of the server; each view, with its order and filter, has an address to share.
 */
import { computed, signal } from '@preact/signals'

export const NODE_TABS = ['overview', 'processes', 'supervision', 'ets', 'ports', 'applications'] as const
export type NodeTab = (typeof NODE_TABS)[number]

export type Route =
  | { readonly page: 'fleet' | 'cluster' | 'timeline' }
  | { readonly page: 'node'; readonly node: string; readonly tab: NodeTab }
  | { readonly page: 'process'; readonly node: string; readonly pid: string }
  | { readonly page: 'unknown'; readonly path: string }

const location = signal(window.location.hash)
window.addEventListener('hashchange', () => (location.value = window.location.hash))

const parts = computed(() => {
  const [path = '', query = ''] = location.value.replace(/^#\/?/, '').split('?', 2)
  return { path, query: new URLSearchParams(query) }
})

export const route = computed<Route>(() => parse(parts.value.path))
export const query = computed(() => parts.value.query)

/** @returns the route of a path such as `nodes/app@host/ets` */
export function parse(path: string): Route {
  let steps: string[]
  try {
    steps = path.split('/').filter(Boolean).map(decodeURIComponent)
  } catch {
    return { page: 'unknown', path }
  }
  const [first, node, tab = 'overview', pid] = steps
  if (first === undefined) return { page: 'fleet' }
  if (steps.length === 1 && (first === 'cluster' || first === 'timeline')) return { page: first }
  if (first !== 'nodes' || node === undefined) return { page: 'unknown', path }
  if (tab === 'processes' && pid !== undefined && steps.length === 4) return { page: 'process', node, pid }
  const known = NODE_TABS.find((name) => name === tab)
  return known === undefined || steps.length > 3
    ? { page: 'unknown', path }
    : { page: 'node', node, tab: known }
}

/** Characters that are legal in a fragment stay readable. */
const step = (text: string) => encodeURIComponent(text).replaceAll('%40', '@').replaceAll('%3A', ':')

export function nodeHref(node: string, tab: NodeTab = 'overview'): string {
  return `#/nodes/${step(node)}${tab === 'overview' ? '' : `/${tab}`}`
}

export function processHref(node: string, pid: string): string {
  return `#/nodes/${step(node)}/processes/${step(pid)}`
}

export function go(href: string): void {
  window.location.hash = href
}

/** Changes the query of the present address in place: no entry of the history for each letter of a filter. */
export function setQuery(changes: Readonly<Record<string, string | undefined>>): void {
  const { path, query: before } = parts.value
  const after = new URLSearchParams(before)
  for (const [key, value] of Object.entries(changes)) {
    if (value === undefined || value === '') after.delete(key)
    else after.set(key, value)
  }
  const text = after.toString()
  window.history.replaceState(null, '', `#/${path}${text === '' ? '' : `?${text}`}`)
  location.value = window.location.hash
}
