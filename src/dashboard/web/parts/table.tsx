/**
 * A table whose head sorts, and of which only the rows in sight are in the document when there are many. It scrolls
 * sideways by itself where it is wider than the page.
 */
import { observeWindowOffset, observeWindowRect, Virtualizer, windowScroll } from '@tanstack/virtual-core'
import type { ComponentChildren, RefObject } from 'preact'
import { useEffect, useLayoutEffect, useMemo, useReducer, useRef, useState } from 'preact/hooks'
import { ArrowDown } from './icons.js'

export interface Column<Row> {
  readonly key: string
  readonly title: string
  /** Class of its width: w-xs to w-xl; without one it shares what is left. */
  readonly width?: string
  readonly numeric?: boolean
  /** Not shown on narrow pages. */
  readonly wideOnly?: boolean
  /** What it is sorted by; without it, it is not. */
  readonly sort?: (row: Row) => number | string
  readonly cell: (row: Row) => ComponentChildren
  /** Shown whole when the cell is cut. */
  readonly hint?: (row: Row) => string | undefined
}

interface TableProps<Row> {
  readonly caption: string
  readonly columns: readonly Column<Row>[]
  readonly rows: readonly Row[]
  readonly rowKey: (row: Row) => string
  readonly sortBy: string
  readonly descending: boolean
  /** The rows come sorted. */
  readonly sorted?: boolean
  readonly onSort: (key: string, descending: boolean) => void
  readonly empty: string
}

const ROW_PIXELS = 36
/** From here on only the rows in sight are in the document. */
const MANY = 100

export function Table<Row>(props: TableProps<Row>) {
  const { caption, columns, rowKey, sortBy, descending, onSort, empty } = props
  const body = useRef<HTMLTableSectionElement>(null)
  const rows = useMemo(
    () => (props.sorted === true ? props.rows : sortRows(props.rows, columns, sortBy, descending)),
    [props.rows, props.sorted, sortBy, descending],
  )
  const { from, to } = useWindow(rows.length, body)
  const shown = rows.slice(from, to)
  return (
    <div class="table-scroll" role="region" aria-label={caption} tabindex={0}>
      <table aria-rowcount={rows.length + 1}>
        <caption class="hidden">{caption}</caption>
        <thead>
          <tr aria-rowindex={1}>
            {columns.map((column) => (
              <Head
                key={column.key}
                column={column}
                direction={column.key !== sortBy ? undefined : descending ? 'descending' : 'ascending'}
                onSort={onSort}
              />
            ))}
          </tr>
        </thead>
        <tbody ref={body}>
          <Spacer pixels={from * ROW_PIXELS} columns={columns.length} />
          {shown.map((row, at) => (
            <tr key={rowKey(row)} aria-rowindex={from + at + 2}>
              {columns.map((column, place) => {
                const hint = column.hint?.(row)
                const Cell = place === 0 ? 'th' : 'td'
                return (
                  <Cell
                    key={column.key}
                    class={classes(column)}
                    {...(place === 0 ? { scope: 'row' as const } : {})}
                    {...(hint === undefined ? {} : { title: hint })}
                  >
                    {column.cell(row)}
                  </Cell>
                )
              })}
            </tr>
          ))}
          <Spacer pixels={(rows.length - to) * ROW_PIXELS} columns={columns.length} />
        </tbody>
      </table>
      {rows.length === 0 ? <p class="empty">{empty}</p> : null}
    </div>
  )
}

function classes<Row>({ numeric, wideOnly }: Column<Row>): string {
  return `${numeric === true ? 'num' : ''} ${wideOnly === true ? 'wide-only' : ''}`.trim()
}

function Head<Row>(props: {
  column: Column<Row>
  direction: 'ascending' | 'descending' | undefined
  onSort: (key: string, descending: boolean) => void
}) {
  const { column, direction, onSort } = props
  const name = `${classes(column)} ${column.width ?? ''}`
  if (column.sort === undefined)
    return (
      <th scope="col" class={name}>
        {column.title}
      </th>
    )
  // Numbers are looked at from the largest, names from the first.
  const next = direction === undefined ? column.numeric === true : direction === 'ascending'
  return (
    <th scope="col" class={name} {...(direction === undefined ? {} : { 'aria-sort': direction })}>
      <button type="button" class="sort" onClick={() => onSort(column.key, next)}>
        {column.title}
        <ArrowDown />
      </button>
    </th>
  )
}

function Spacer({ pixels, columns }: { pixels: number; columns: number }) {
  if (pixels <= 0) return null
  return (
    <tr class="spacer" aria-hidden="true">
      <td colSpan={columns} style={{ height: `${pixels}px` }} />
    </tr>
  )
}

function sortRows<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  key: string,
  descending: boolean,
): readonly Row[] {
  const value = columns.find((column) => column.key === key)?.sort
  if (value === undefined) return rows
  const sign = descending ? -1 : 1
  return [...rows].sort((one, other) => {
    const a = value(one)
    const b = value(other)
    if (typeof a === 'string' || typeof b === 'string') return sign * String(a).localeCompare(String(b), 'en')
    return sign * (a - b)
  })
}

/** The rows that are in sight, and some around. */
function useWindow(
  count: number,
  body: RefObject<HTMLElement | null>,
): { readonly from: number; readonly to: number } {
  const many = count > MANY
  const [, changed] = useReducer((times: number, _: void) => times + 1, 0)
  const [virtual] = useState(
    () =>
      new Virtualizer<Window, Element>({
        count: 0,
        getScrollElement: () => window,
        estimateSize: () => ROW_PIXELS,
        scrollToFn: windowScroll,
        observeElementRect: observeWindowRect,
        observeElementOffset: observeWindowOffset,
      }),
  )
  useEffect(() => virtual._didMount(), [virtual])
  useLayoutEffect(() => virtual._willUpdate())
  if (!many) return { from: 0, to: count }
  const top = (body.current?.getBoundingClientRect().top ?? 0) + window.scrollY
  virtual.setOptions({
    ...virtual.options,
    count,
    scrollMargin: top,
    overscan: 12,
    onChange: () => changed(),
  })
  const items = virtual.getVirtualItems()
  return { from: items[0]?.index ?? 0, to: (items.at(-1)?.index ?? MANY - 1) + 1 }
}

/** Order of a table that is only looked at here. */
export function useOrder(key: string, descending: boolean) {
  const [order, setOrder] = useState({ sortBy: key, descending })
  return { ...order, onSort: (sortBy: string, down: boolean) => setOrder({ sortBy, descending: down }) }
}
