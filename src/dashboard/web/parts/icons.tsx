/** Small drawings. Where one stands for a word, the word is beside it, so all are hidden from screen readers. */
import type { ComponentChildren } from 'preact'

function Icon({ children }: { children: ComponentChildren }) {
  return (
    <svg viewBox="0 0 12 12" aria-hidden="true" focusable="false">
      {children}
    </svg>
  )
}

const line = { fill: 'none', stroke: 'currentColor', 'stroke-width': 1.6, 'stroke-linecap': 'round' } as const

export const Dot = () => (
  <Icon>
    <circle cx="6" cy="6" r="4.5" fill="currentColor" />
  </Icon>
)
export const Ring = () => (
  <Icon>
    <circle cx="6" cy="6" r="4" {...line} stroke-dasharray="3 2.2" />
  </Icon>
)
export const Triangle = () => (
  <Icon>
    <path d="M6 1 11.5 11H.5z" fill="currentColor" />
  </Icon>
)
export const Square = () => (
  <Icon>
    <path d="M1.5 1.5h9v9h-9z" fill="currentColor" />
  </Icon>
)
export const Chevron = () => (
  <Icon>
    <path d="m4 2 4 4-4 4" {...line} />
  </Icon>
)
export const ArrowDown = () => (
  <Icon>
    <path d="M6 1.5v9M2.5 7 6 10.5 9.5 7" {...line} />
  </Icon>
)
export const Sun = () => (
  <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
    <circle cx="8" cy="8" r="3" {...line} />
    <path d="M8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1 1M12 12l1 1M3 13l1-1M12 4l1-1" {...line} />
  </svg>
)
export const Moon = () => (
  <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
    <path d="M13.5 9.6A6 6 0 0 1 6.4 2.5a6 6 0 1 0 7.1 7.1z" {...line} stroke-linejoin="round" />
  </svg>
)
export const Auto = () => (
  <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
    <circle cx="8" cy="8" r="6" {...line} />
    <path d="M8 2a6 6 0 0 1 0 12z" fill="currentColor" />
  </svg>
)
export const Pause = () => (
  <svg viewBox="0 0 12 12" width="12" height="12" aria-hidden="true" focusable="false">
    <path d="M2.5 1.5h2.5v9H2.5zM7 1.5h2.5v9H7z" fill="currentColor" />
  </svg>
)
export const Play = () => (
  <svg viewBox="0 0 12 12" width="12" height="12" aria-hidden="true" focusable="false">
    <path d="M2.5 1 10.5 6l-8 5z" fill="currentColor" />
  </svg>
)
