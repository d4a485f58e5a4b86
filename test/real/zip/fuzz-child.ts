/**
 * Extracts what its parent names, one archive after the other, and tells what came of it. A process of its own, so that
 * one that hangs, or ends for lack of memory, is seen.
 */
import { extractWithFettle } from './extracting.ts'

/** What is to be done. */
export interface Task {
  readonly archive: string
  readonly folder: string
}

export interface Came {
  /** undefined: something was thrown that is no expected failure. */
  readonly status: number | undefined
  /** That, or what was complained of. */
  readonly text: string
  /** Codes of what was found and is no note. */
  readonly loud: readonly string[]
  /** The most memory that this process has ever held, bytes. */
  readonly mostRss: number
}

process.on('message', ({ archive, folder }: Task) => {
  const told = (came: Omit<Came, 'mostRss'>) =>
    process.send!({ ...came, mostRss: process.resourceUsage().maxRSS * 1024 } satisfies Came)
  extractWithFettle(archive, folder).then(
    ({ status, complaints, findings }) => {
      const loud = findings.filter(({ severity }) => severity !== 'note').map(({ code }) => code)
      told({ status, text: complaints.join('\n'), loud })
    },
    (error: unknown) =>
      told({ status: undefined, text: error instanceof Error ? `${error.stack}` : `${error}`, loud: [] }),
  )
})
process.send!('ready')
