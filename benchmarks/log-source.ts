/**
 * How much of a log does a CPU-second follow, all threads together, into the durable store?
 *
 * `fettle` keeps allocations, sessions and usage. Beside it stand what one would take for it in an hour: mtail, which
 * is made to follow logs, and awk, each adding up the bytes of clients by session and keeping nothing; and `grep -c`,
 * which only finds the lines. All of them in turn in every round, on the same file. What they add up must be what was
 * written.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Written, writeLog } from './log-text.ts'
import { spread } from './process.ts'

const rounds = Number(process.argv[2] ?? 5)
const BYTES = 100e6
const folder = mkdtempSync(join(tmpdir(), 'fettle-bench-'))
const file = (name: string) => join(folder, name)
const log = file('turn.log')

interface Cost {
  readonly cpuSeconds: number
  readonly received: number
  readonly sent: number
}

const AWK = `/: usage: realm=</ {
  match($0, /session [0-9]+/); id = substr($0, RSTART + 8, RLENGTH - 8)
  n = split($0, part, /, rb=|, sp=|, sb=/); received[id] += part[n - 2]; sent[id] += part[n] }
END { for (id in received) { r += received[id]; s += sent[id] }; printf "%.0f %.0f\\n", r, s }`
const MTAIL = `counter received by id
counter sent by id
/session (?P<id>\\d+): usage: realm=<.*>, username=<.*>, rp=\\d+, rb=(?P<rb>\\d+), sp=\\d+, sb=(?P<sb>\\d+)/ {
  received[$id] += $rb
  sent[$id] += $sb
}
`

/** CPU-seconds of a shell's children, as it says itself, behind what they print. */
function run(command: string): { readonly out: string; readonly cpuSeconds: number } {
  const printed = execFileSync('/bin/sh', ['-c', `${command}; echo; times`], { cwd: folder, maxBuffer: 1e9 }).toString()
  const lines = printed.trimEnd().split('\n')
  const seconds = lines
    .at(-1)!
    .split(' ')
    .map((text) => {
      const [, minutes, rest] = /^(\d+)m([\d.]+)s$/.exec(text)!
      return Number(minutes) * 60 + Number(rest)
    })
  return { out: lines.slice(0, -2).join('\n').trim(), cpuSeconds: seconds[0]! + seconds[1]! }
}

function sumOfMtail(out: string): number[] {
  type Metric = { LabelValues: { Value: { Value: number } }[] }
  const metrics = JSON.parse(out) as Record<string, Metric[]>
  return ['received', 'sent'].map((name) =>
    metrics[name]!.flatMap(({ LabelValues }) => LabelValues).reduce((sum, { Value }) => sum + Value.Value, 0),
  )
}

const names = ['fettle', 'mtail', 'awk', 'grep -c'] as const
const subjects: Readonly<Record<(typeof names)[number], (written: Written) => Cost>> = {
  fettle() {
    const data = mkdtempSync(file('data-'))
    const script = fileURLToPath(new URL('./log-subject.ts', import.meta.url))
    // The young generation as `serve` gives it to its threads.
    return JSON.parse(execFileSync(process.execPath, ['--max-semi-space-size=1', script, log, data]).toString())
  },
  mtail() {
    const words = '--one_shot --one_shot_format json --port 0 --address 127.0.0.1'
    const { out, cpuSeconds } = run(`mtail ${words} --progs usage.mtail --logs turn.log 2> mtail.err`)
    const [received = 0, sent = 0] = sumOfMtail(out)
    return { cpuSeconds, received, sent }
  },
  awk() {
    const { out, cpuSeconds } = run('awk -f usage.awk turn.log')
    const [received, sent] = out.split(' ').map(Number)
    return { cpuSeconds, received: received!, sent: sent! }
  },
  'grep -c'({ received, sent }) {
    const { cpuSeconds } = run("grep -c 'usage: ' turn.log")
    return { cpuSeconds, received, sent }
  },
}

function versionOf(command: string): string {
  try {
    return run(command).out.split('\n')[0]!
  } catch {
    throw new Error(`${command}: is missing: sudo apt-get install -y mtail gawk`)
  }
}

try {
  writeFileSync(file('usage.awk'), AWK)
  writeFileSync(file('usage.mtail'), MTAIL)
  const written = await writeLog(log, BYTES)
  const versions = [versionOf('mtail --version'), versionOf('awk --version')]
  const found = new Map<string, number[]>(names.map((name) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const name of names) {
      const { cpuSeconds, received, sent } = subjects[name](written)
      if (received !== written.received || sent !== written.sent)
        throw new Error(`${name} has added up ${received}, ${sent}`)
      found.get(name)!.push(cpuSeconds)
    }
  }
  const { model } = cpus()[0]!
  process.stdout.write(`${rounds} rounds; ${availableParallelism()} x ${model}; ${versions.join('; ')}\n`)
  process.stdout.write(`${(written.bytes / 1e6).toFixed(0)} MB, ${written.lines} lines\n\n`)
  for (const name of names) {
    const mb = spread(found.get(name)!.map((seconds) => written.bytes / 1e6 / seconds))
    const ratio = spread(found.get(name)!.map((seconds, i) => seconds / found.get('fettle')![i]!))
    const lines = (written.lines / 1000 / (written.bytes / 1e6 / mb.median)).toFixed(0)
    const figures = `${mb.median.toFixed(1)} MB (${mb.least.toFixed(1)} to ${mb.most.toFixed(1)}), ${lines}k lines`
    process.stdout.write(`  ${name.padEnd(8)}${figures} a CPU-second; takes ${ratio.median.toFixed(2)} x fettle\n`)
  }
} finally {
  rmSync(folder, { recursive: true })
}
