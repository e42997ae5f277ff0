/** A line without axes, beside the number that it leads to. */

const WIDTH = 120
const HEIGHT = 32

interface SparkProps {
  /** NaN is a gap. */
  readonly values: readonly number[]
  /** The least value that fills the height: quiet lines stay low. */
  readonly top?: number
  readonly series: 1 | 2 | 3 | 4 | 5 | 6
}

export function Spark({ values, top = 0, series }: SparkProps) {
  const highest = values.reduce((most, value) => (value > most ? value : most), top) || 1
  const step = WIDTH / Math.max(1, values.length - 1)
  const runs: string[][] = [[]]
  values.forEach((value, at) => {
    if (Number.isNaN(value)) runs.push([])
    else runs.at(-1)?.push(`${round(at * step)} ${round(HEIGHT - 1 - (value / highest) * (HEIGHT - 3))}`)
  })
  const lines = runs.filter((run) => run.length > 1)
  return (
    <svg
      class={`spark series-${series}`}
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      aria-hidden="true"
      focusable="false"
    >
      {lines.map((run, at) => (
        <path
          key={`a${at}`}
          class="area"
          d={`M${run[0]?.split(' ')[0]} ${HEIGHT}L${run.join('L')}V${HEIGHT}Z`}
        />
      ))}
      {lines.map((run, at) => (
        <path key={`l${at}`} class="line" d={`M${run.join('L')}`} />
      ))}
    </svg>
  )
}

const round = (value: number) => Math.round(value * 10) / 10
