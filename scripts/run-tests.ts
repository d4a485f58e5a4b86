// Runs test files and sends the tally to the parent process. Started by `stages.ts`, never by hand: the tests run in a
// process of their own, so that one that crashes or exits is seen as missing and not as done.
// Arguments: the limits as JSON, the files.

import { resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import type { Limits, Tally } from './stages.ts'

const [limits = '', ...names] = process.argv.slice(2)
const { atOnce, testSeconds, idleSeconds }: Limits = JSON.parse(limits)
const files = names.map((name) => resolve(name))

const stop = new AbortController()
const events = run({
  files,
  isolation: 'process',
  concurrency: atOnce,
  timeout: testSeconds * 1000,
  signal: stop.signal,
})

const finished = new Set<string>()
const withoutTests = new Set<string>()
let hollow = 0 // files that node counts as passed tests, since no test ran in them
const tally = { passed: 0, failed: 0, skipped: 0 }

interface TestEvent {
  readonly name: string
  readonly nesting: number
  readonly file?: string | undefined
}

/** Node speaks of a whole file as of a test that bears the file's name. */
function isFile({ name, nesting, file }: TestEvent): boolean {
  return nesting === 0 && file !== undefined && resolve(name) === file
}

events.on('test:pass', (event) => {
  if (!isFile(event)) return
  hollow += 1
  withoutTests.add(event.name)
})
events.on('test:summary', ({ file, counts }) => {
  if (file !== undefined) {
    finished.add(file)
    return
  }
  tally.passed = counts.passed
  tally.failed = counts.tests - counts.passed - counts.skipped - counts.todo
  tally.skipped = counts.skipped + counts.todo
})

// A test that leaves a server or a timer behind keeps its process alive, and node would wait for ever.
let open = 0
const starting = new Set<string>() // files of which no test has begun yet
let watch: NodeJS.Timeout | undefined

function heard(): void {
  clearTimeout(watch)
  const seconds = starting.size === 0 && open === 0 ? idleSeconds : testSeconds + idleSeconds
  watch = setTimeout(giveUp, seconds * 1000, seconds).unref()
}

function giveUp(seconds: number): void {
  console.error(`Nothing has happened for ${seconds} s: a test has left something open, a server or a timer.`)
  stop.abort()
  setTimeout(() => process.exit(1), 200)
}

events.on('test:enqueue', (event) => {
  if (!isFile(event)) {
    starting.delete(resolve(event.file ?? ''))
    open += 1
  }
  heard()
})
events.on('test:dequeue', (event) => {
  if (isFile(event)) starting.add(resolve(event.name))
  heard()
})
events.on('test:complete', (event) => {
  if (isFile(event)) starting.delete(resolve(event.name))
  else open -= 1
  heard()
})

heard()
await pipeline(events.compose(spec), process.stdout, { end: false })
clearTimeout(watch)

for (const name of names) if (!finished.has(resolve(name))) withoutTests.add(name)
tally.passed -= hollow
process.send?.({ ...tally, withoutTests: [...withoutTests] } satisfies Tally)
process.disconnect?.()
