// The stages that `npm test` and `npm run check` are made of.

import { fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'

/** What came of a stage. `fault` says in a few words why it failed; tests are counted where the stage has any. */
export interface Outcome {
  readonly fault?: string
  readonly passed: number
  readonly failed: number
}

export interface Stage {
  readonly name: string
  run(): Promise<Outcome>
}

/** What `run-tests.ts` sends when it has run everything; files in which no test ran to its end are named. */
export interface Tally {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  readonly withoutTests: readonly string[]
}

export interface Limits {
  /** How many files at once, each in a process of its own. */
  readonly atOnce: number
  /** How long one test may take. */
  readonly testSeconds: number
  /** How long a process may go on after the last of its tests. */
  readonly idleSeconds: number
}

/** What is known of files that have not changed is kept. */
export const types = program('types', 'tsc', '--incremental', '--tsBuildInfoFile', 'node_modules/.cache/types')
export const lint = program('lint', 'biome', 'check', '--diagnostic-level=warn', '--error-on-warnings')
export const quickTests = tests('quick tests', ['packages/**/!(*.long).test.ts', 'test/tidy/!(*.long).test.ts'], {
  // One more than can run: some wait for a timer.
  atOnce: availableParallelism() + 1,
  // With as many random runs as `npm test` makes, and on a busy machine; between two edits nothing takes a tenth of it.
  testSeconds: 90,
  idleSeconds: 10,
})
/** Nothing but Node as well, but they take their time: many clients, large files, processes. */
export const longTests = tests('long tests', ['**/*.long.test.ts'], {
  atOnce: availableParallelism(),
  testSeconds: 60,
  idleSeconds: 10,
})
/** What measures time tightly, or takes all of the machine. */
export const realTests = tests('real tests', ['test/real/*.test.ts'], {
  // Beside each other the real servers would take each other's time.
  atOnce: 1,
  testSeconds: 900,
  idleSeconds: 30,
})
/** A folder for each tool: what takes its time, most of which is waiting, so that two files can go on at once. */
export const toolTests = tests('tools at real servers', ['test/real/*/*.test.ts'], {
  atOnce: 2,
  testSeconds: 900,
  idleSeconds: 30,
})

/** Runs the stages, all of them even when one fails, and says at the end what came of them. */
export async function runStages(stages: readonly Stage[]): Promise<0 | 1> {
  const wrongNode = nodeFault()
  if (wrongNode !== undefined) {
    console.error(wrongNode)
    return 1
  }
  console.log(`Node.js ${process.version}`)
  const failures: string[] = []
  let passed = 0
  let failed = 0
  for (const stage of stages) {
    console.log(`\n== ${stage.name}`)
    const began = performance.now()
    const outcome = await stage.run()
    const seconds = ((performance.now() - began) / 1000).toFixed(1)
    console.log(`== ${stage.name}: ${outcome.fault ?? 'fine'} (${seconds} s)`)
    passed += outcome.passed
    failed += outcome.failed
    if (outcome.fault !== undefined) failures.push(`${stage.name} (${outcome.fault})`)
  }
  console.log(`\n${passed} passed, ${failed} failed`)
  if (failures.length > 0) console.log(`FAILED: ${failures.join('; ')}`)
  return failures.length > 0 ? 1 : 0
}

/** A program from node_modules that has to end with status 0. */
function program(name: string, command: string, ...args: string[]): Stage {
  return {
    name,
    async run() {
      const child = spawn(`node_modules/.bin/${command}`, args, { stdio: 'inherit' })
      const [status] = await once(child, 'exit')
      return { passed: 0, failed: 0, ...(status === 0 ? {} : { fault: `${command} found faults` }) }
    },
  }
}

/** Test files, by pattern. No file, a file without a test and a skipped test fail the stage as a failed test does. */
function tests(name: string, patterns: readonly string[], limits: Limits): Stage {
  return {
    name,
    async run() {
      const files = globSync(patterns, { exclude: (path) => path.includes('node_modules') }).sort()
      if (files.length === 0) return { passed: 0, failed: 0, fault: `no test file: ${patterns.join(', ')}` }
      return runTestFiles(files, limits)
    },
  }
}

/** Runs the files in a process of their own; `silent` keeps what they print to itself. */
export async function runTestFiles(files: readonly string[], limits: Limits, silent = false): Promise<Outcome> {
  const child = fork(new URL('./run-tests.ts', import.meta.url), [JSON.stringify(limits), ...files], {
    silent,
    execArgv: [],
    env: {
      ...process.env,
      NODE_TEST_CONTEXT: undefined, // with it node would run no test inside of a test
      // A process for each file reads the same modules: with the types stripped once a file takes a third less.
      NODE_COMPILE_CACHE: resolve('node_modules/.cache/node'),
    },
  })
  let tally: Tally | undefined
  child.on('message', (message) => {
    tally = message as Tally
  })
  const [status, signal] = await once(child, 'exit')
  if (tally === undefined) return { passed: 0, failed: 0, fault: `the run broke off: ${signal ?? `status ${status}`}` }
  return judge(tally, status)
}

/** Node itself calls a run good in which tests were skipped or nothing was tested at all; we do not. */
function judge(tally: Tally, status: number | null): Outcome {
  const { passed, failed } = tally
  const faults: string[] = []
  if (failed > 0) faults.push(`${failed} failed`)
  if (tally.skipped > 0) faults.push(`${tally.skipped} skipped or put off`)
  if (tally.withoutTests.length > 0) faults.push(`nothing ran to its end in ${tally.withoutTests.join(', ')}`)
  if (passed + failed === 0) faults.push('0 tests ran')
  if (faults.length === 0 && status !== 0) faults.push(`the run ended with status ${status}`)
  return { passed, failed, ...(faults.length > 0 ? { fault: faults.join(', ') } : {}) }
}

/** Where npm has brought a Node, that one must be running; elsewhere one that is new enough. */
function nodeFault(): string | undefined {
  const running = process.versions.node
  const manifest = `node_modules/node-${process.platform}-${process.arch}/package.json`
  if (existsSync(manifest)) {
    const pinned: string = JSON.parse(readFileSync(manifest, 'utf8')).version
    return running === pinned ? undefined : `This is Node.js ${running}, pinned is ${pinned}: start it through npm.`
  }
  const [major = 0, minor = 0] = running.split('.').map(Number)
  const newEnough = major > 24 || (major === 24 && minor >= 15)
  return newEnough ? undefined : `This is Node.js ${running}; fettle needs 24.15 or newer.`
}
