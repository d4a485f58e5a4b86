import { useEffect, useRef } from 'preact/hooks'
import { writeRoute } from '../route.ts'
import { as } from '../text/roles.ts'
import type { Column, ColumnKey, Order, RowSession } from './arrange.ts'
import { Row } from './row.tsx'

interface TableProps {
  readonly caption: string
  readonly sessions: readonly RowSession[]
  readonly columns: readonly Column[]
  /** As `columns`, their keys. */
  readonly shown: readonly ColumnKey[]
  /** Absent where the meter decides on the order. */
  readonly order?: Order
  sortBy?(key: ColumnKey): void
  /** The pointer moves on the rows, or has left them. */
  holdStill?(still: boolean): void
}

export function SessionTable({ caption, sessions, columns, shown, order, sortBy, holdStill }: TableProps) {
  const body = useRef<HTMLTableSectionElement>(null)
  // For the mouse the whole row is what its link is; the keyboard has the link.
  useEffect(() => {
    const element = body.current!
    element.addEventListener('click', openRow)
    return () => element.removeEventListener('click', openRow)
  }, [])
  return (
    <div class="rows">
      <table {...as.table} class="sessions">
        <caption class="unseen">{caption}</caption>
        <thead {...as.rows}>
          <tr {...as.row}>
            {columns.map(({ key, title }) => (
              <th {...as.title} scope="col" key={key} class={key} aria-sort={sortOf(order, key)}>
                {sortBy === undefined ? (
                  title
                ) : (
                  <button type="button" onClick={() => sortBy(key)}>
                    {title}
                  </button>
                )}
              </th>
            ))}
          </tr>
        </thead>
        <tbody
          {...as.rows}
          ref={body}
          onPointerMove={(event) => {
            // A row that moves under a pointer is no movement of the pointer.
            const moved = event.movementX !== 0 || event.movementY !== 0
            if (moved && event.pointerType === 'mouse') holdStill?.(true)
          }}
          onPointerLeave={() => holdStill?.(false)}
        >
          {sessions.map((session) => (
            <Row key={session.id} session={session} shown={shown} />
          ))}
        </tbody>
      </table>
    </div>
  )
}

function sortOf(order: Order | undefined, key: ColumnKey): 'ascending' | 'descending' | undefined {
  if (order?.by !== key) return undefined
  return order.descending ? 'descending' : 'ascending'
}

function openRow({ target }: Event): void {
  if (!(target instanceof Element) || target.closest('a, button') !== null) return
  // Who has just marked a text wants to copy it.
  if (getSelection()?.isCollapsed === false) return
  const id = target.closest('tr')?.dataset.session
  if (id !== undefined) location.hash = writeRoute({ page: 'session', id: Number(id) })
}
