/** Shortcuts of one key, but not while something is typed, and not with a modifier. */
import { helpOpen } from '../parts/dialogs.js'
import { controlReplay, replay } from './live.js'
import { go, NODE_TABS, nodeHref, route } from './router.js'
import { shortcuts, theme } from './settings.js'

/** @returns what takes them away */
export function installShortcuts(): () => void {
  window.addEventListener('keydown', onKey)
  return () => window.removeEventListener('keydown', onKey)
}

function onKey(event: KeyboardEvent): void {
  if (!shortcuts.value || event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return
  const { target } = event
  if (target instanceof HTMLElement && target.matches('input, select, textarea')) {
    if (event.key === 'Escape') target.blur()
    return
  }
  if (document.querySelector('dialog[open]') !== null) return
  if (press(event.key)) event.preventDefault()
}

/** @returns whether the key has a meaning here */
function press(key: string): boolean {
  const here = route.value
  switch (key) {
    case 'f':
      go('#/')
      return true
    case 'c':
      go('#/cluster')
      return true
    case 'l':
      go('#/timeline')
      return true
    case 't':
      theme.value = theme.value === 'system' ? 'light' : theme.value === 'light' ? 'dark' : 'system'
      return true
    case '?':
      helpOpen.value = true
      return true
    case '/':
      return focus('[data-filter]')
    case 'p':
      if (replay.value !== undefined)
        void controlReplay({ paused: !replay.value.paused }).catch(() => undefined)
      else document.querySelector<HTMLElement>('[data-pause]')?.click()
      return true
    default: {
      const tab = NODE_TABS[Number(key) - 1]
      if (tab === undefined || (here.page !== 'node' && here.page !== 'process')) return false
      go(nodeHref(here.node, tab))
      return true
    }
  }
}

function focus(selector: string): boolean {
  const found = document.querySelector<HTMLElement>(selector)
  found?.focus()
  return found !== null
}
