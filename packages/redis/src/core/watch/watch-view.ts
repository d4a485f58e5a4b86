/** What stands on the screen while one watches a Redis: the newest numbers first, what does not fit is left out. */
import {
  type Cell,
  cellText,
  plural,
  printable,
  quantityText,
  shortened,
  type TableColumn,
  table,
} from '@fettle/report'
import type { Facts } from '../facts.ts'
import { judge } from '../judge/judge.ts'
import { engineOf, roleOf } from '../judge/live.ts'
import { measuresOf } from '../judge/measures.ts'
import { judgeMonitor } from '../judge/monitor.ts'
import { unseenOf } from '../judge/unseen.ts'
import { executingSeconds, isContainer, type Load, loadOf } from '../load.ts'
import { recent } from '../look/recent.ts'
import { seenCall } from '../use/call.ts'
import { type Use, type UseRow, useOf } from '../use/use.ts'
import { cpuGraph } from './cpu-graph.ts'

/** So long is what happened remembered; numbers are of less, so that they follow. */
export const MEMORY_SECONDS = 60
const NUMBERS_SECONDS = 15

export interface View {
  readonly address: string
  /** Milliseconds since the epoch. */
  readonly now: number
  /** For how long the server has not answered. */
  readonly silentSeconds: number
  readonly sort: 'executing' | 'calls'
  readonly isPaused: boolean
  /** Null: there are no keys to press. */
  readonly keys: 'hinted' | 'shown' | null
}

export interface Line {
  readonly text: string
  readonly look: 'plain' | 'title' | 'fault'
}

export interface Size {
  readonly width: number
  readonly height: number
}

/** Longer than this, and it is said. */
const SILENT_SECONDS = 2
/** Lower than this there is no room for blank lines, and from there on for a graph with a scale. */
const AIRY_HEIGHT = 16
const TALL_HEIGHT = 36
const tableLinesMin = (height: number) => (height < AIRY_HEIGHT ? 3 : 5)

/** At most so many lines, none wider. */
export function viewLines(facts: Facts, view: View, size: Size): Line[] {
  const shown = recent(facts, NUMBERS_SECONDS)
  const load = loadOf(shown)
  const isKnown = !('problem' in load) && load.over === 'window'
  const use = isKnown ? useOf(shown, load) : undefined
  const head = [
    ...titleLines(facts, view),
    ...(isKnown ? [...numberLines(shown, load, size), ...graphLines(facts, size)] : [plain('looking ...')]),
    ...(view.keys === 'shown' ? KEYS.map(plain) : []),
  ]
  const unseen = unseenOf(shown, load, use).map(({ what, why }) => plain(`not seen: ${what}; ${why}`))
  const after = [slowLines(facts, size), [...(isKnown ? findingLines(facts) : []), ...unseen]]
  const air = size.height < AIRY_HEIGHT ? [] : [plain('')]
  const below = after.flatMap((lines) => (lines.length === 0 ? [] : [...air, ...lines]))
  const room = Math.max(tableLinesMin(size.height), size.height - head.length - air.length - below.length)
  const top = isKnown ? topLines(shown, load, use, view, size).slice(0, room) : []
  const lines = [...head, ...(top.length === 0 ? [] : [...air, ...top]), ...below]
  return lines
    .slice(0, size.height)
    .map(({ text, look }) => ({ text: shortened(printable(text), size.width).trimEnd(), look }))
}

const plain = (text: string): Line => ({ text, look: 'plain' })

const KEYS = [
  'q  quits                           s  sorts by calls, and by executing again',
  'p  holds the display still         ?  shows and hides these',
]

function titleLines({ infos }: Facts, { address, now, silentSeconds, isPaused, keys }: View): Line[] {
  const info = infos.at(-1)
  const parts = [
    ...(isPaused ? ['PAUSED'] : []),
    address,
    ...(info === undefined ? [] : [engineOf(info), roleOf(info)]),
    `${new Date(now).toISOString().slice(11, 19)} UTC`,
    ...(keys === null ? [] : ['q quits, ? keys']),
  ]
  const silent = `no answer for ${Math.floor(silentSeconds)} s`
  return [
    { text: parts.join('  '), look: 'title' },
    ...(silentSeconds < SILENT_SECONDS ? [] : [{ text: silent, look: 'fault' as const }]),
  ]
}

function numberLines(facts: Facts, load: Load, { width }: Size): Line[] {
  const measures = measuresOf(facts, load)
  const of = (name: string, words: (text: string) => string) => {
    const quantity = measures.find((one) => one.name === name)?.quantity
    return quantity === undefined ? [] : [words(quantityText({ value: quantity.value, unit: quantity.unit }))]
  }
  const items = [
    `last ${Math.round(load.seconds ?? 0)} s`,
    ...of('rate', (text) => text),
    ...of('cpu', (text) => `CPU ${text} of a core`),
    ...of('batch', (text) => `batch ${text}`),
    ...of('clients', (text) => (text === '1' ? '1 client' : `${text} clients`)),
    ...of('memory', (text) => text),
  ]
  const lines: string[] = []
  for (const item of items) {
    const longer = `${lines.at(-1)}  ${item}`
    if (lines.length === 0 || longer.length > width) lines.push(item)
    else lines[lines.length - 1] = longer
  }
  return lines.map(plain)
}

function graphLines(facts: Facts, { width, height }: Size): Line[] {
  return cpuGraph(facts, MEMORY_SECONDS, width, height < TALL_HEIGHT ? 1 : 4).map(plain)
}

const COMMAND_MAX = 16
const CLIENT_MAX = 20
/** Narrower than this, there is one column of numbers. */
const TWO_WIDTH = 64

/** Of the commands, where MONITOR tells who calls them. */
const COMMANDS_MAX = 4

function topLines(facts: Facts, load: Load, use: Use | undefined, view: View, size: Size): Line[] {
  if (use !== undefined) return useLines(use, view, size)
  const commands = commandsLines(load, view, size)
  const callers = judgeMonitor(facts).tables.flatMap(({ rows }) => callersLines(rows, size))
  return callers.length === 0 ? commands : [...commands.slice(0, COMMANDS_MAX + 1), ...callers]
}

function callersLines(rows: readonly (readonly Cell[])[], { width }: Size): Line[] {
  const columns = [
    { title: 'COMMAND' },
    { title: 'KEYS', flexible: true },
    { title: 'CLIENT' },
    { title: 'SEEN', right: true },
    { title: 'CALLS', right: true },
  ]
  const cells = rows.map((row) => row.map((cell) => shortened(cellText(cell), CLIENT_MAX)))
  return tableLines(columns, cells, width)
}

function useLines({ rows }: Use, { sort }: View, { width }: Size): Line[] {
  const other: View['sort'] = sort === 'calls' ? 'executing' : 'calls'
  const numbers = width < TWO_WIDTH ? [sort] : ([sort, other] as const)
  const columns = [
    { title: 'COMMAND' },
    { title: 'KEYS', flexible: true },
    { title: 'CLIENT' },
    ...numbers.map((name) => ({ title: name.toUpperCase(), right: true })),
  ]
  const sorted = rows.toSorted((a, b) => b[sort].value - a[sort].value || b[other].value - a[other].value)
  const cells = sorted.map((row) => [
    shortened(printable(row.command), COMMAND_MAX),
    printable(row.pattern),
    shortened(printable(row.client), CLIENT_MAX),
    ...numbers.map((name) => surely(row[name])),
  ])
  return tableLines(columns, cells, width)
}

/** With how far the interval reaches at most. */
function surely({ value, low, high }: UseRow['calls']): string {
  const off = inPercent(Math.max(value - low, high - value))
  return off === NOUGHT || off === LITTLE ? `${inPercent(value)} %` : `${inPercent(value)} ±${off} %`
}

const NOUGHT = '0.0'
const LITTLE = '<0.1'

function inPercent(share: number): string {
  const text = (100 * share).toFixed(1)
  return text === NOUGHT && share > 0 ? LITTLE : text
}

function commandsLines(load: Load, { sort }: View, { width }: Size): Line[] {
  const columns = [
    { title: 'COMMAND', flexible: true },
    ...['EXECUTING', 'CALLS', 'EACH'].map((title) => ({ title, right: true })),
  ]
  const total = executingSeconds(load)
  const by = sort === 'calls' ? 'calls' : 'seconds'
  const cells = Array.from(load.byCommand)
    .sort(([, a], [, b]) => b[by] - a[by])
    .map(([name, { calls, seconds }]) => [
      printable(name),
      // A script's time is that of its commands, and counted there.
      isContainer(name) || total === 0 ? '-' : `${inPercent(seconds / total)} %`,
      load.seconds ? quantityText({ value: calls / load.seconds, unit: '/s' }) : plural(calls, 'call'),
      quantityText({ value: seconds / calls, unit: 's' }),
    ])
  return cells.length === 0 ? [] : tableLines(columns, cells, width)
}

/** The first line is the title. */
function tableLines(columns: readonly TableColumn[], rows: readonly (readonly string[])[], width: number): Line[] {
  const lines = table(columns, rows, width).trimEnd().split('\n')
  return lines.map((text, i) => ({ text, look: i === 0 ? 'title' : 'plain' }))
}

const slowMax = (height: number) => Math.max(1, Math.floor(height / 8))

function slowLines({ slow, live, infos, ...facts }: Facts, { width, height }: Size): Line[] {
  const load = loadOf({ slow, live, infos, ...facts })
  if (slow.length === 0 || live === null || 'problem' in load) return []
  const busy = slow.reduce((sum, { seconds }) => sum + seconds, 0) / (load.seconds ?? Number.NaN)
  const columns = [
    { title: 'WHEN' },
    { title: 'TOOK', right: true },
    { title: `SLOW: ${slow.length} in ${Math.round(load.seconds ?? 0)} s, ${inPercent(busy)} % of it`, flexible: true },
    { title: 'CLIENT' },
  ]
  const cells = slow
    .slice(-slowMax(height))
    .reverse()
    .map((entry) => {
      const { command, pattern, client, seconds } = seenCall(entry, live.showKeys)
      return [
        new Date(entry.at * 1000).toISOString().slice(11, 19),
        quantityText({ value: seconds, unit: 's' }),
        printable(`${command.toUpperCase()} ${pattern}`),
        shortened(printable(client), CLIENT_MAX),
      ]
    })
  return tableLines(columns, cells, width)
}

/** Of all that is remembered. Who the callers are stands in the table: without windows it costs little. */
function findingLines(facts: Facts): Line[] {
  const live = facts.live === null ? null : { ...facts.live, windows: [] }
  const { findings } = judge({ ...facts, live })
  return findings.map(({ severity, subject, says }) => ({
    text: `${severity.padEnd(8)} ${subject === '' ? '' : `${subject}: `}${says}`,
    look: severity === 'fault' ? 'fault' : 'plain',
  }))
}
