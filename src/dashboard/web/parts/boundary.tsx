/** Where an error of a view ends: the rest of the page stays, and in place of the view there is what happened. */
import { Component, type ComponentChildren } from 'preact'
import { Square } from './icons.js'

interface BoundaryProps {
  /** Names the view: with another one, what failed before is forgotten. */
  readonly of: string
  /** Whether the heading of the page is in what failed. */
  readonly heading?: boolean
  readonly children: ComponentChildren
}

interface BoundaryState {
  readonly failed: { readonly of: string; readonly error: unknown } | undefined
}

export class Boundary extends Component<BoundaryProps, BoundaryState> {
  static override getDerivedStateFromProps(
    { of }: BoundaryProps,
    { failed }: BoundaryState,
  ): BoundaryState | null {
    return failed === undefined || failed.of === of ? null : { failed: undefined }
  }

  override state: BoundaryState = { failed: undefined }

  override componentDidCatch(error: unknown): void {
    // With its stack, for the browser's console.
    console.error(error)
    this.setState({ failed: { of: this.props.of, error } })
  }

  override render({ heading, children }: BoundaryProps, { failed }: BoundaryState) {
    if (failed === undefined) return children
    const { error } = failed
    return (
      <>
        {heading === true ? <h1 tabindex={-1}>This view has failed</h1> : null}
        <div class="note is-bad" role="alert" data-failed>
          <span class="status">
            <Square />
          </span>
          <p>
            {heading === true ? '' : 'This view has failed: '}
            {error instanceof Error ? error.message : String(error)}
          </p>
          <button type="button" class="button" onClick={() => this.setState({ failed: undefined })}>
            Try again
          </button>
        </div>
        <p class="muted">Other views may work. The browser’s console has the details.</p>
      </>
    )
  }
}
