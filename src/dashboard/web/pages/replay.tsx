/** The bar of a replay: where it is, pause, speed. */
import { useState } from 'preact/hooks'
import type { Control, ReplayState } from '../../protocol.js'
import { Pause, Play } from '../parts/icons.js'
import { announcement } from '../parts/dialogs.js'
import { day, duration, timeOfDay } from '../state/format.js'
import { connection, controlReplay } from '../state/live.js'

/** A second, but of a short recording a hundredth: a handle whose step is too long for it could not be moved. */
function stepMs({ from, to }: ReplayState): number {
  return Math.max(1, Math.min(1_000, Math.round((to - from) / 100)))
}

export function ReplayBar({ state }: { state: ReplayState }) {
  // While the handle is held, it is where the hand is.
  const [held, setHeld] = useState<number>()
  const position = held ?? state.position
  const off = connection.value.state !== 'live'
  const control = (what: Control) => {
    controlReplay(what).catch((error: unknown) => {
      announcement.value = error instanceof Error ? error.message : String(error)
    })
  }
  const again = state.ended ? { position: state.from, paused: false } : { paused: !state.paused }
  const plays = !state.paused && !state.ended
  return (
    <section class="replay" aria-label="Replay">
      <div class="replay-row">
        <button type="button" class="button" disabled={off} onClick={() => control(again)}>
          {plays ? <Pause /> : <Play />}
          {plays ? 'Pause' : state.ended ? 'Again' : 'Play'}
        </button>
        <input
          type="range"
          aria-label="Position"
          aria-valuetext={timeOfDay(position)}
          min={state.from}
          max={state.to}
          step={stepMs(state)}
          value={position}
          disabled={off}
          onInput={(event) => setHeld(event.currentTarget.valueAsNumber)}
          onChange={(event) => {
            setHeld(undefined)
            control({ position: event.currentTarget.valueAsNumber })
          }}
        />
        <span class="nowrap" data-replay-time>
          {timeOfDay(position)} <span class="muted wide-only">{day(position)}</span>
        </span>
        <span class="muted nowrap wide-only">
          {duration(position - state.from)} of {duration(state.to - state.from)}
        </span>
        <label class="field">
          <span class="wide-only">Speed</span>
          <select
            aria-label="Speed"
            value={state.speed}
            disabled={off}
            onChange={(event) => control({ speed: Number(event.currentTarget.value) })}
          >
            {state.speeds.map((speed) => (
              <option key={speed} value={speed}>
                ×{speed}
              </option>
            ))}
          </select>
        </label>
      </div>
    </section>
  )
}
