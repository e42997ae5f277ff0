/** What the user chose and this browser keeps. */
import { effect, signal } from '@preact/signals'

export type Theme = 'system' | 'light' | 'dark'

function stored(key: string): string | null {
  try {
    return window.localStorage.getItem(key)
  } catch {
    return null
  }
}

function store(key: string, value: string | undefined): void {
  try {
    if (value === undefined) window.localStorage.removeItem(key)
    else window.localStorage.setItem(key, value)
  } catch {
    // No storage in this browser: the choice lasts as long as the page.
  }
}

const before = stored('beampeer.theme')

export const theme = signal<Theme>(before === 'light' || before === 'dark' ? before : 'system')
/** Shortcuts of one letter get in the way of speech input: they can be switched off. */
export const shortcuts = signal(stored('beampeer.shortcuts') !== 'off')
/** Counts changes of the colours, the system's too: what is drawn on a canvas is drawn again. */
export const coloursChanged = signal(0)

effect(() => {
  const chosen = theme.value
  store('beampeer.theme', chosen === 'system' ? undefined : chosen)
  if (chosen === 'system') delete document.documentElement.dataset['theme']
  else document.documentElement.dataset['theme'] = chosen
  coloursChanged.value = coloursChanged.peek() + 1
})

effect(() => store('beampeer.shortcuts', shortcuts.value ? undefined : 'off'))

window.matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => coloursChanged.value++)

/** The colour that a custom property has now: `light-dark()` is resolved only where a colour is used. */
export function colour(name: string): string {
  probe.style.color = `var(${name})`
  if (!probe.isConnected) document.body.append(probe)
  return window.getComputedStyle(probe).color
}

const probe = document.createElement('i')
probe.hidden = true
