/**
 * What does it cost a login to be watched, and how right are the seconds that are told? A real sshd whose PAM waits
 * more than a second when it opens a session, and notes for how long. In turn, in every round: plain `ssh HOST true`
 * by a stopwatch, `ssh -vvv HOST true` through `ts -s` of moreutils, as people do it by hand, and `fettle ssh check`.
 */
import { readFileSync } from 'node:fs'
import { readReport } from '@fettle/report'
import { find } from '../test/real/harness.ts'
import { HOST, Lab } from '../test/real/ssh/lab.ts'
import { spreadText } from './process.ts'

const rounds = Number(process.argv[2] ?? 9)
const NOTED = '/run/noted'
const NAP_SECONDS = 1.2

const endings: (() => Promise<void>)[] = []
const lab = await Lab.open({ after: (hook) => endings.push(hook) }, ({ server }) => {
  const line = 'session optional pam_exec.so quiet type=open_session /etc/security/slow\n'
  server.script(
    '/etc/security/slow',
    'a=$(date +%s.%N)',
    `sleep ${NAP_SECONDS}`,
    `echo "$a $(date +%s.%N)" >> ${NOTED}`,
  )
  const path = '/etc/pam.d/common-session'
  server.write(path, line + server.read(path))
})

/** How long it really waited, in the login before. */
function truth(): number {
  const [from, to] = readFileSync(lab.server.outside(NOTED), 'utf8')
    .trimEnd()
    .split('\n')
    .at(-1)!
    .split(' ')
    .map(Number)
  return to! - from!
}

interface Told {
  readonly login: number
  /** How far off the wait is that was told, in seconds. */
  readonly off: number
}

async function stopwatch(): Promise<number> {
  const { seconds, status } = await lab.login()
  if (status !== 0) throw new Error(`ssh ends with ${status}`)
  return seconds
}

/** The longest gap between two lines, as somebody would look for it. */
async function byHand(): Promise<Told> {
  const script = `"${find('ssh')}" -vvv ${HOST} true 2>&1 | "${find('ts')}" -s %.s`
  const { output } = await lab.client.run(['/bin/sh', '-c', script])
  const stamps = output
    .split('\n')
    .flatMap((line) => /^(\d+\.\d+) /.exec(line)?.[1] ?? [])
    .map(Number)
  const longest = Math.max(...stamps.slice(1).map((at, i) => at - stamps[i]!))
  return { login: stamps.at(-1)!, off: Math.abs(longest - truth()) }
}

async function byFettle(): Promise<Told> {
  const { output } = await lab.fettle(['ssh', 'check', HOST, '--logins', '1', '--json'])
  const report = readReport(output)
  if ('problem' in report) throw new Error(`the report ${report.problem}: ${output}`)
  const login = report.measures.find(({ name }) => name === 'login')!.quantity.value
  const wait = report.findings.find(({ code }) => code === 'ssh.session')!.quantities.wait!.value
  return { login, off: Math.abs(wait - truth()) }
}

const ratios = { hand: [] as number[], fettle: [] as number[], again: [] as number[] }
const off = { hand: [] as number[], fettle: [] as number[] }
try {
  for (let round = 0; round < rounds; round++) {
    const plain = await stopwatch()
    const hand = await byHand()
    const fettle = await byFettle()
    const again = await stopwatch()
    const middle = (plain + again) / 2
    ratios.hand.push(hand.login / middle)
    ratios.fettle.push(fettle.login / middle)
    ratios.again.push(again / plain)
    off.hand.push(hand.off * 1000)
    off.fettle.push(fettle.off * 1000)
    process.stderr.write(`round ${round + 1} of ${rounds}\n`)
  }
} finally {
  for (const end of endings) await end()
}
process.stdout.write('the login, times that of a stopwatch; the wait, ms off what the server noted\n')
process.stdout.write(`stopwatch again  ${spreadText(ratios.again, 3)}\n`)
process.stdout.write(`ssh -vvv | ts    ${spreadText(ratios.hand, 3)}  ${spreadText(off.hand, 1)}\n`)
process.stdout.write(`fettle           ${spreadText(ratios.fettle, 3)}  ${spreadText(off.fettle, 1)}\n`)
