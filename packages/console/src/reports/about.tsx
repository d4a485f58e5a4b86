import { printable } from '../text/printable.ts'

/** What a report is about. */
export function About({ tool, subject }: { tool: string; subject: string }) {
  return (
    <>
      {printable(tool)} <bdi>{printable(subject)}</bdi>
    </>
  )
}
