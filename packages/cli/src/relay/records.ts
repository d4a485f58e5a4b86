/** What the data folder and its ledger say, whether a meter runs or not. */
import { existsSync, statSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import {
  type Checkup,
  checkup,
  DISK_FULL_BYTES,
  DISK_LOW_BYTES,
  FolderFault,
  gapReasonTexts,
  labelOf,
  ledgerFile,
  openLedger,
  type RecentName,
  type ServeOptions,
  suggest,
  twinsTexts,
} from '@fettle/relay'
import { printable, size } from '@fettle/report'
import { type Check, ok, problem, warning } from '../check.ts'

const DAY_MS = 86_400_000
/** Clocks of one machine differ by less. */
const CLOCK_MS = 60_000

/** Names and addresses of users lie in it, and passwords of servers. */
export function checkFolder(data: string): Check {
  if ((statSync(data).mode & 0o077) === 0) return ok('folder', `${data} is there, and nobody else's to read.`)
  return warning('folder', `${data} is open to others: it holds names and passwords.`, `chmod go= ${data}`)
}

/** `free`: as the meter says; undefined: it was not asked. */
export async function checkDisk(data: string, free?: number | null): Promise<Check> {
  const { bavail, bsize } = await statfs(data)
  const bytes = free ?? bavail * bsize
  const text = `${size(bytes)} are free on the disk of the data folder.`
  if (bytes < DISK_FULL_BYTES) return problem('disk-full', text, 'Make room: when it is full nothing can be kept.')
  return bytes < DISK_LOW_BYTES ? warning('disk-low', text, 'Make room soon.') : ok('disk', text)
}

/** `startedAt`: of the running meter, milliseconds since the epoch; null: none runs. */
export function checkRecords(options: ServeOptions, startedAt: number | null, now: number): Check[] {
  if (!existsSync(ledgerFile(options.data))) return [ok('ledger', 'There are no records yet.')]
  try {
    const db = openLedger(options.data)
    try {
      const found = checkup(db, now - DAY_MS, startedAt ?? 0)
      const template = checkTemplate(found, options, startedAt !== null)
      const told = [...checkUnread(found), checkRejected(found), ...checkTwins(found)]
      return [checkClock(found, now), checkGaps(found), ...told, template]
    } finally {
      db.close()
    }
  } catch (error) {
    if (error instanceof FolderFault) return [problem('ledger', error.message)]
    return [problem('ledger', `The ledger cannot be read: ${(error as Error).message}`)]
  }
}

function checkClock({ lastAt, gaps }: Checkup, now: number): Check {
  if (lastAt !== null && lastAt - now > CLOCK_MS) {
    const ahead = Math.round((lastAt - now) / 60_000)
    const text = `The records reach ${ahead} min into the future: the clock was set back.`
    return problem('clock', text, 'Set it right; let NTP keep it: timedatectl set-ntp true')
  }
  if (gaps.every(({ why }) => why !== 'clock')) return ok('clock', 'The clock agrees with the records.')
  return warning('clock-jump', 'The clock was set in the last 24 hours.', 'Let NTP keep it: timedatectl set-ntp true')
}

function checkGaps({ gaps }: Checkup): Check {
  if (gaps.length === 0) return ok('gaps', 'No gap in the last 24 hours that needs a look.')
  const said = gaps.map(({ server, why, count }) => `${server} ${count} (${gapReasonTexts[why] ?? why})`).join(', ')
  const remedy = 'Calls that end after a gap are whole again; docs/operating.md says more.'
  return warning('gaps', `Gaps in the last 24 hours: ${said}.`, remedy)
}

function checkUnread({ malformed }: Checkup): Check[] {
  if (malformed.length === 0) return [ok('malformed', 'All that came could be read.')]
  const said = malformed.map(({ server, count }) => `${count} of ${server}`).join(', ')
  const remedy = 'See them as they come: fettle relay tail. Report it with the version of coturn.'
  return [warning('malformed', `Events that could not be read: ${said}.`, remedy)]
}

function checkRejected({ rejected }: Checkup): Check {
  if (rejected === 0) return ok('rejected', 'Nothing was reported under names that never proved real.')
  return ok('rejected', `${rejected} allocations of the last 24 hours never proved real; billed to nobody.`)
}

function checkTwins({ twins }: Checkup): Check[] {
  return twins.map((one) => {
    const { text, remedy } = twinsTexts(one)
    return problem('heard-twice', text, remedy)
  })
}

function checkTemplate({ names }: Checkup, { template }: ServeOptions, isRunning: boolean): Check {
  if (names.length === 0) return ok('no-names', 'No usernames yet to compare with the template.')
  // A running meter may have been told another template than this command.
  const isFit = ({ username, fits }: RecentName) => (isRunning ? fits : labelOf(template, '', username).fits)
  const all = names.map(({ username }) => username)
  const misfits = names.filter((one) => !isFit(one)).map(({ username }) => username)
  const used = isRunning ? "the meter's template" : template.text
  const said = `${names.length - misfits.length} of ${names.length} recent usernames fit ${used}`
  if (misfits.length > 0) return warning('misfits', `${said}.`, ...suggestion(misfits))
  const found = suggest(all)
  // A dash or a dot in all of them is more often part of a name than not.
  const isMore = found !== undefined && found.parts.length > 2 && !/[-.]/.test(found.template)
  if (names.some(({ hasMore }) => hasMore) || !isMore) return ok('template', `${said}.`)
  return { ...ok('template', `${said}; they may hold more.`), remedy: suggestion(all) }
}

/** What a template for these usernames might be, in lines for a remedy. */
function suggestion(usernames: readonly string[]): string[] {
  const found = suggest(usernames)
  if (found === undefined) {
    const examples = usernames.slice(0, 3).map(example).join(', ')
    return [`Such as ${examples}.`, 'They have no shape in common: ask whoever makes the credentials.']
  }
  return [
    `Do these parts mean something? ${found.template}`,
    ...found.parts.map(({ name, examples }) => `{${name}}: such as ${examples.map(example).join(', ')}`),
    'Name them as you like, {account} for who pays, and restart the meter with:',
    'fettle relay serve --username "..."',
  ]
}

const EXAMPLE_MAX = 24

/** A username's part, in quotes, so that an empty one is seen. */
function example(text: string): string {
  const letters = Array.from(text)
  return `"${printable(letters.length > EXAMPLE_MAX ? `${letters.slice(0, EXAMPLE_MAX - 1).join('')}…` : text)}"`
}
