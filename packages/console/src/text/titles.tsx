import { as } from './roles.ts'

interface TitlesProps {
  readonly of: readonly string[]
  /** Those of them that stand over numbers. */
  readonly numbers: readonly string[]
}

/** The titles of a table whose rows are laid out by themselves. */
export function Titles({ of, numbers }: TitlesProps) {
  return (
    <thead {...as.rows}>
      <tr {...as.row}>
        {of.map((title) => (
          <th {...as.title} key={title} scope="col" class={numbers.includes(title) ? 'number' : ''}>
            {title}
          </th>
        ))}
      </tr>
    </thead>
  )
}
