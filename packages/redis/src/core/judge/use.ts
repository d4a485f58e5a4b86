/** Who asks for what, as a table. */
import type { Cell, Quantity, Table } from '@fettle/report'
import type { Use, UseRow } from '../use/use.ts'

const ROWS_MAX = 20

export function useTable(use: Use | undefined): Table[] {
  if (use === undefined) return []
  const columns = [
    { name: 'command', title: 'COMMAND' },
    { name: 'keys', title: 'KEYS', flexible: true as const },
    { name: 'client', title: 'CLIENT' },
    { name: 'executing', title: 'EXECUTING' },
    { name: 'calls', title: 'CALLS' },
  ]
  const rows = use.rows
    .slice(0, ROWS_MAX)
    .map(({ command, pattern, client, executing, calls }): Cell[] => [
      command,
      pattern,
      client,
      shareOf(executing),
      shareOf(calls),
    ])
  const title = `Who asks for what: ${use.seen} commands seen in ${use.windows} windows`
  return [{ name: 'use', title, columns, rows }]
}

/** With its interval, if it has one. */
export function shareOf({ value, low, high }: UseRow['calls']): Quantity {
  return low === high ? { value, unit: 'share' } : { value, unit: 'share', low, high }
}
