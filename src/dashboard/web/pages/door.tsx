/** In front of a closed door: no session, or a server of another version. */
import { connection } from '../state/live.js'

const REASONS = {
  missing: 'This browser has no session with the server.',
  expired: 'The session has ended: the server was started anew.',
} as const

export function Door() {
  const now = connection.value
  if (now.state === 'version')
    return (
      <div class="door">
        <h1 tabindex={-1}>Another version</h1>
        <p>
          The server is of another version than this page. Load the page again without the browser's cache.
        </p>
      </div>
    )
  const reason = now.state === 'unauthorised' ? now.reason : 'missing'
  return (
    <div class="door">
      <h1 tabindex={-1}>Sign in</h1>
      <p role="alert">{REASONS[reason]}</p>
      <p class="muted">
        Open the address that <code>beampeer dashboard</code> printed when it started, or paste it here.
      </p>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          const text = new FormData(event.currentTarget).get('address')
          const token = tokenOf(typeof text === 'string' ? text : '')
          if (token !== '')
            window.location.assign(`./?token=${encodeURIComponent(token)}${window.location.hash}`)
        }}
      >
        <label class="field">
          <span class="hidden">Address or token</span>
          <input
            name="address"
            required
            autocomplete="off"
            spellcheck={false}
            placeholder="http://…/?token=…"
          />
        </label>
        <button class="button primary">Sign in</button>
      </form>
    </div>
  )
}

/** Of a pasted address, or the token itself. The rest of the address is not used: it leads elsewhere for all we know. */
function tokenOf(text: string): string {
  const trimmed = text.trim()
  return /[?&]token=([^&#\s]+)/.exec(trimmed)?.[1] ?? (/^[\w-]+$/.test(trimmed) ? trimmed : '')
}
