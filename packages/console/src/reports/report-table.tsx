/** Rows of a report, under the titles that it gives them. */
import type { Report } from '@fettle/relay/api'
import { Card } from '../text/card.tsx'
import { plural } from '../text/format.ts'
import { printable } from '../text/printable.ts'
import { Nothing } from '../text/words.tsx'
import { Amount } from './amount.tsx'
import { More, useSome } from './some.tsx'

type Table = Report['tables'][number]

const FIRST = 100

export function ReportTable({ table: { title, columns, rows } }: { table: Table }) {
  const some = useSome(rows, FIRST)
  const classes = columns.map(({ flexible }, i) => {
    const isNumber = rows.some((row) => typeof row[i] === 'object' && row[i] !== null)
    return isNumber ? 'number' : flexible ? 'flexible' : ''
  })
  return (
    <Card title={printable(title)} beside={<p class="quiet">{plural(rows.length, 'row')}</p>}>
      <div class="scroll">
        <table class="figures cells">
          <thead>
            <tr>
              {columns.map((column, i) => (
                <th key={i} scope="col" class={classes[i]}>
                  {printable(column.title)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {some.shown.map((row, i) => (
              <tr key={i}>
                {row.map((cell, j) => {
                  const text = <CellText cell={cell} />
                  return j === 0 ? (
                    <th key={j} scope="row" class={classes[j]}>
                      {text}
                    </th>
                  ) : (
                    <td key={j} class={classes[j]}>
                      {text}
                    </td>
                  )
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <More some={some} what="row" />
    </Card>
  )
}

function CellText({ cell }: { cell: Table['rows'][number][number] }) {
  if (cell === null) return <Nothing />
  return typeof cell === 'string' ? <bdi>{printable(cell)}</bdi> : <Amount quantity={cell} />
}
