/** Native dialogs: the confirmation of an action and the list of shortcuts. */
import { signal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { Action } from '../../protocol.js'
import { act } from '../state/live.js'
import { shortcuts } from '../state/settings.js'

/** The action that waits for a yes. */
const asked = signal<Action | undefined>(undefined)
export const helpOpen = signal(false)
/** What was done, for the live region. */
export const announcement = signal('')

/** Asks before anything is sent. */
export function askFor(action: Action): void {
  asked.value = action
}

export function Dialogs() {
  const action = asked.value
  return (
    <>
      {action === undefined ? null : <Confirm action={action} />}
      {helpOpen.value ? <Help /> : null}
    </>
  )
}

function Modal(props: { label: string; onClose(): void; children: ComponentChildren }) {
  const element = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    const before = document.activeElement
    element.current?.showModal()
    return () => {
      if (before instanceof HTMLElement) before.focus()
    }
  }, [])
  return (
    <dialog ref={element} aria-label={props.label} onClose={props.onClose}>
      {props.children}
    </dialog>
  )
}

const REASONS = ['shutdown', 'normal', 'kill'] as const

function Confirm({ action }: { action: Action }) {
  const [reason, setReason] = useState<(typeof REASONS)[number]>('shutdown')
  const [state, setState] = useState<{ busy: boolean; error?: string }>({ busy: false })
  const close = () => (asked.value = undefined)
  const exits = action.kind === 'exit'
  const title = exits ? `End process ${action.pid}?` : `Disconnect ${action.peer}?`
  const run = async () => {
    setState({ busy: true })
    try {
      await act(exits ? { ...action, reason } : action)
      announcement.value = exits ? `Sent exit ${reason} to ${action.pid}` : `Disconnected ${action.peer}`
      close()
    } catch (error) {
      setState({ busy: false, error: error instanceof Error ? error.message : String(error) })
    }
  }
  return (
    <Modal label={title} onClose={close}>
      <h2>{title}</h2>
      {exits ? (
        <>
          <p class="muted">
            An exit signal is sent to it on {action.node}. Processes that are linked to it may end as well.
          </p>
          <p>
            <label class="field">
              Reason
              <select
                value={reason}
                onChange={(event) => setReason(event.currentTarget.value as (typeof REASONS)[number])}
              >
                {REASONS.map((name) => (
                  <option key={name}>{name}</option>
                ))}
              </select>
            </label>
          </p>
        </>
      ) : (
        <p class="muted">
          {action.node} ends its connection to {action.peer}. The two may connect again at once.
        </p>
      )}
      {state.error === undefined ? null : (
        <p class="is-bad" role="alert">
          {state.error}
        </p>
      )}
      <div class="dialog-end">
        <button type="button" class="button" autofocus onClick={close}>
          Cancel
        </button>
        <button type="button" class="button danger solid" disabled={state.busy} onClick={() => void run()}>
          {exits ? 'End process' : 'Disconnect'}
        </button>
      </div>
    </Modal>
  )
}

const KEYS: readonly (readonly [string, string])[] = [
  ['f', 'fleet'],
  ['c', 'cluster'],
  ['l', 'timeline'],
  ['1 – 6', "a node's tabs"],
  ['/', 'filter'],
  ['p', 'pause a table; pause a replay'],
  ['t', 'theme: system, light, dark'],
  ['?', 'this list'],
  ['Esc', 'close a dialog, leave a field'],
]

function Help() {
  const close = () => (helpOpen.value = false)
  return (
    <Modal label="Keyboard shortcuts" onClose={close}>
      <h2>Keyboard shortcuts</h2>
      <dl class="keys">
        {KEYS.map(([key, what]) => (
          <>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{what}</dd>
          </>
        ))}
      </dl>
      <label class="field">
        <input
          type="checkbox"
          checked={shortcuts.value}
          onChange={(event) => (shortcuts.value = event.currentTarget.checked)}
        />
        Shortcuts of a single key are on
      </label>
      <div class="dialog-end">
        <button type="button" class="button" autofocus onClick={close}>
          Close
        </button>
      </div>
    </Modal>
  )
}
