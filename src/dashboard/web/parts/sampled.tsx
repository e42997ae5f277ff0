/** A list that comes whole, up to a limit, and says of how many: filtered and sorted here. */
import { useSignal } from '@preact/signals'
import type { ErrorInfo } from '../../protocol.js'
import { whole } from '../state/format.js'
import { query, setQuery } from '../state/router.js'
import { ErrorNote, FilterField, Loading } from './basics.js'
import { Table, useOrder, type Column } from './table.js'

interface SampledProps<Row> {
  readonly value:
    { readonly rows: readonly Row[]; readonly sampled?: number; readonly total?: number } | undefined
  readonly error: ErrorInfo | undefined
  readonly title: string
  readonly node: string
  readonly columns: readonly Column<Row>[]
  readonly rowKey: (row: Row) => string
  /** What the filter looks in. */
  readonly text: (row: Row) => string
  readonly sortBy: string
  readonly descending?: boolean
  /** Without a filter of its own: one above filters this too. */
  readonly filter?: string
}

export function SampledView<Row>(props: SampledProps<Row>) {
  const filter = useSignal(query.value.get('filter') ?? '')
  return (
    <>
      <div class="toolbar">
        <FilterField
          label={`Filter ${props.title}`}
          value={filter.value}
          onInput={(text) => {
            filter.value = text
            setQuery({ filter: text })
          }}
        />
      </div>
      <SampledPanel {...props} filter={filter.value} />
    </>
  )
}

export function SampledPanel<Row>(props: SampledProps<Row>) {
  const { value, error, title, node, columns, rowKey, text, sortBy, descending = true, filter = '' } = props
  const order = useOrder(sortBy, descending)
  const sought = filter.toLowerCase()
  const rows = (value?.rows ?? []).filter((row) => text(row).toLowerCase().includes(sought))
  return (
    <>
      <ErrorNote error={error} />
      {value === undefined ? (
        error === undefined ? (
          <Loading what={title} />
        ) : null
      ) : (
        <section class="panel flush" aria-label={title}>
          <div class="panel-head">
            <h2>{title}</h2>
            <span class="muted">
              {sought === '' ? '' : `${whole(rows.length)} match · `}
              {value.total === undefined || value.sampled === undefined || value.sampled >= value.total
                ? `${whole(value.rows.length)} in all`
                : `the first ${whole(value.sampled)} of ${whole(value.total)}`}
            </span>
          </div>
          <Table
            caption={`${title} of ${node}`}
            columns={columns}
            rows={rows}
            rowKey={rowKey}
            empty={sought === '' ? 'There are none.' : 'Nothing matches the filter.'}
            {...order}
          />
        </section>
      )}
    </>
  )
}
