/** Stamps, forms and damage: the same login, however it was pasted. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Quantity } from '@fettle/report'
import { keptLog } from '../src/core/evidence.ts'
import { judge } from '../src/core/judge.ts'
import { readLog } from '../src/core/log.ts'
import { recordings } from './recordings.ts'

/** Seconds and text of each line of the recording in which the PTR record comes late. */
const LINES = recordings
  .get('ptr-late')!
  .trimEnd()
  .split('\n')
  .map((line) => ({ seconds: Number(line.slice(0, 8)), text: line.slice(13) }))

type Stamped = (seconds: number, text: string) => string
const pasted = (stamped: Stamped, end = '\n') => LINES.map(({ seconds, text }) => stamped(seconds, text) + end).join('')

function learn(text: string) {
  const log = readLog(text)
  assert.ok(log, text.slice(0, 200))
  return judge(log)
}

const told = (text: string) => {
  const { findings, unseen } = learn(text)
  const codes = findings.map(({ code, quantities }) => [code, quantities.wait?.value])
  return { codes, unseen: unseen.map(({ what }) => what) }
}

const seconds = (text: string) =>
  Object.fromEntries(learn(text).tables[0]!.rows.map(([phase, time]) => [phase, (time as Quantity).value]))

/** A moment so long after 23:59:58. */
const at = (after: number) => new Date(Date.UTC(2026, 10, 26, 23, 59, 58) + Math.round(after * 1000)).toISOString()
const MILLI = 4.643

test('[S2] each form of stamps gives the same seconds, also past midnight', () => {
  const forms: Readonly<Record<string, Stamped>> = {
    own: (s, text) => `${s.toFixed(3).padStart(8)} ERR ${text}`,
    'ts -s %.s': (s, text) => `${s.toFixed(6)} ${text}`,
    'ts %.s': (s, text) => `${(1_795_649_091 + s).toFixed(6)} ${text}`,
    'ts %H:%M:%.S': (s, text) => `${at(s).slice(11, 23)} ${text}`,
    'in brackets': (s, text) => `[${at(s).slice(11, 23)}] ${text}`,
    date: (s, text) => `${at(s).slice(0, 23).replace('T', ' ')} ${text}`,
    'date with a comma': (s, text) => `${at(s).slice(0, 23).replace('T', ' ').replace('.', ',')} ${text}`,
    'date in brackets': (s, text) => `[${at(s).slice(0, 23).replace('T', ' ')}] ${text}`,
    'date with a zone': (s, text) => `${at(s).slice(0, 23)}+0100 ${text}`,
    'journal, precise': (s, text) => `Nov ${at(s).slice(8, 10)} ${at(s).slice(11, 23)} host ssh[4711]: ${text}`,
    'journal, ISO': (s, text) => `${at(s).slice(0, 23)}+01:00 host ssh[4711]: ${text}`,
    'journal, monotonic': (s, text) => `[${(1234 + s).toFixed(6).padStart(12)}] host ssh[4711]: ${text}`,
    tab: (s, text) => `${s.toFixed(6)}\t${text}`,
  }
  for (const [name, form] of Object.entries(forms)) {
    const [[code, wait] = []] = told(pasted(form)).codes
    assert.equal(code, 'ssh.auth-start', name)
    assert.ok(Math.abs(Number(wait) - MILLI) < 0.0015, `${name}: ${wait}`)
  }
})

test('[S2, S6] stamps of whole seconds are right to 1 s, and that is said', () => {
  const forms: readonly Stamped[] = [
    (s, text) => `00:00:${String(Math.floor(s)).padStart(2, '0')} ${text}`,
    (s, text) => `Nov 26 10:00:${String(Math.floor(s)).padStart(2, '0')} ${text}`,
    (s, text) => `Thu Nov 26 10:00:${String(Math.floor(s)).padStart(2, '0')} 2026 ${text}`,
    (s, text) => `${1_795_649_091 + Math.floor(s)} ${text}`,
  ]
  for (const form of forms) {
    const { codes, unseen } = told(pasted(form))
    assert.deepEqual(codes, [['ssh.auth-start', 4]])
    const dns = LINES.map((line, i) => form(i < 2 ? 0 : 15 + line.seconds, line.text)).join('\n')
    const [lookup] = learn(dns).findings
    assert.deepEqual([lookup?.code, lookup?.confidence], ['ssh.lookup', 'possible'])
    assert.ok(unseen.includes('fractions of a second'))
  }
})

test('[S2, S3] stamps that run backwards give no times at all, and the line is named', () => {
  const gaps = LINES.map(({ seconds: s, text }, i) => `${(s - (LINES[i - 1]?.seconds ?? 0)).toFixed(6)} ${text}\n`)
  const { findings, measures, unseen } = learn(gaps.join(''))
  assert.deepEqual([measures, findings.filter(({ severity }) => severity === 'fault')], [[], []])
  assert.match(unseen[0]!.why, /^the stamp of line \d+ is before that of an earlier line, as with ts -i; use ts -s$/)
})

test('[S2] a clock begins anew at midnight, once', () => {
  const clocks = ['23:59:58', '00:00:01', '23:00:00']
  const text = (all: readonly string[]) => all.map((clock, i) => `${clock} debug1: line ${i}\n`).join('')
  assert.equal(learn(text(clocks)).measures.at(-1)?.quantity.value, 86_400 - 3598)
  assert.deepEqual(learn(text([...clocks, '00:10:00'])).measures, [])
})

test('[S2] a line without a stamp came when the one before it did; a clock in a banner is none', () => {
  const text = pasted((s, line) => `${s.toFixed(6)} ${line}`)
  const mixed = text.replace(/^.*Server accepts key/m, '10:00:00 the server is closed\nfor lunch\n$&')
  assert.deepEqual(seconds(mixed), seconds(text))
  const bare = pasted((_, line) => line).replace(/^debug1: Server accepts/m, '10:00:00 closed\n$&')
  assert.deepEqual(learn(bare).measures, [])
})

test('[S1] line ends of Windows, mails, typography, escapes and banners do no harm', () => {
  const own: Stamped = (s, text) => `${s.toFixed(3).padStart(8)} ERR ${text}`
  const clean = pasted(own)
  const expected = seconds(clean)
  const damaged: Readonly<Record<string, string>> = {
    windows: pasted(own, '\r\n'),
    mail: pasted((s, text) => `> ${own(s, text)}`),
    typography: clean.replaceAll("'", '\u2019').replaceAll('"', '\u201c').replaceAll(': ', ':\u00a0'),
    mark: `\ufeff${clean}`,
    capital: clean.replaceAll('debug', 'Debug'),
    escapes: pasted((s, text) => own(s, `\u001b[1;31m${text}\u001b[0m`)),
    banner: clean.replace(/^.*Authentications that/m, `${'\u001b]0;x\u0007\u001b[2J*** KEEP OUT ***\n'.repeat(9)}$&`),
  }
  for (const [name, text] of Object.entries(damaged)) assert.deepEqual(seconds(text), expected, name)
})

test('[S1] what is no log of ssh is not taken for one', () => {
  for (const text of ['', '\n\n', 'Dear all,\n10:00:00 nothing\n', '\u0000\u0001\u001b[2J', 'x'.repeat(1e6)]) {
    assert.equal(readLog(text), undefined, text.slice(0, 20))
  }
})

test('[S7, S9] without stamps: the phase in which each log ends that is cut after any line', () => {
  const bare = LINES.map(({ text }) => text)
  const ends: string[] = []
  for (let n = 1; n <= bare.length; n++) {
    const { findings, measures } = learn(bare.slice(0, n).join('\n'))
    assert.deepEqual(measures, [])
    const said = findings.find(({ code }) => code === 'ssh.ends')?.says ?? 'none'
    if (said !== ends.at(-1)) ends.push(said)
  }
  const phase = (name: string) => `The log ends in this phase: ${name}.`
  const names = ["client's own files", 'name lookup', "client's own files", 'connect 10.77.0.2', "client's own files"]
  const kex = ['key exchange', 'host key', 'key exchange', 'host key', 'key exchange']
  const more = ['banner', ...kex, 'keys of the agent', 'auth start', 'public keys']
  const last = ['key lookup', 'signing', 'account', 'session', 'channel', 'request']
  assert.deepEqual(ends, [...[...names, ...more, ...last].map(phase), 'none'])
})

test('[S7] what the server says of itself is no remark of a person', () => {
  const remarked = (line: string) => {
    const text = `debug1: Entering interactive session.\n${line}\ndebug1: pledge: network\ndebug2: callback start\n`
    return learn(text)
      .findings.filter(({ severity }) => severity === 'fault')
      .map(({ says }) => says)
  }
  assert.deepEqual(remarked('Please wait, the session ends after 600 s'), [])
  const says = (much: string) => [
    `The server takes long to open the session: ${much}, as somebody has written into the log.`,
  ]
  assert.deepEqual(remarked('# hangs 20s'), says('20 s'))
  assert.deepEqual(remarked('<-- waits 5-10 sec'), says('5 s to 10 s'))
  assert.deepEqual(remarked('it hangs here for about 25 seconds'), says('25 s'))
})

test('[S9] a log that ends with an error names it', () => {
  const bare = LINES.map(({ text }) => text)
  const until = bare.findIndex((line) => line.startsWith('Next authentication') || line.includes('Offering public key'))
  const cases = [
    [bare.slice(0, 4), 'ssh: connect to host 10.77.0.2 port 22: Connection refused'],
    [bare.slice(0, 10), 'kex_exchange_identification: Connection closed by remote host'],
    [bare.slice(0, until), 'root@10.77.0.2: Permission denied (publickey,password).'],
    [bare.slice(0, until), 'Permission denied (publickey).'],
  ] as const
  for (const [lines, error] of cases) {
    const [finding] = learn([...lines, error].join('\n')).findings
    assert.deepEqual([finding?.code, finding?.severity, finding?.evidence[0]?.text], ['ssh.failed', 'warning', error])
  }
})

test('[S10] a log that is kept holds no command and no output, and tells as much', () => {
  const text = recordings.get('ssh-rc')!.replace('Sending command: true', 'Sending command: mysql -psecret')
  const more = [
    '   3.990 ERR export TOKEN=secret',
    '   3.991 ERR debug3: subprocess: KnownHostsCommand-HOSTNAME command "/x --secret" running as ops',
    '   3.992 ERR debug2: checking match for \'exec "test secret"\' host a originally a',
    '   3.993 ERR debug1: Setting env X = secret',
    '   3.994 ERR debug1: Executing /bin/sh -c "secret"',
    '   4.000 OUT the secret answer',
  ]
  const kept = keptLog(`${text}${more.join('\n')}`)
  assert.doesNotMatch(kept, /secret/)
  const told = (log: string) => judge(readLog(log)!).findings
  assert.deepEqual(told(kept), told(text))
})
