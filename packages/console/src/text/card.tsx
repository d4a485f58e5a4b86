import { useId } from 'preact/hooks'

interface CardProps {
  readonly title: preact.ComponentChildren
  /** What stands behind the title. */
  readonly beside?: preact.ComponentChildren
  /** It says what the whole page is about. */
  readonly main?: boolean
  readonly children: preact.ComponentChildren
}

/** A part of a page. */
export function Card({ title, beside, main = false, children }: CardProps) {
  const id = useId()
  const Title = main ? 'h1' : 'h2'
  return (
    <section class="card" aria-labelledby={id}>
      <header class="bar">
        <Title id={id}>{title}</Title>
        {beside}
      </header>
      {children}
    </section>
  )
}
