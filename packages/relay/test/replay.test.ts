import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { finishRecording, fold } from '../src/core/allocation.ts'
import { restore } from '../src/core/restore.ts'
import { DEFAULT_TEMPLATE, readTemplate, type Template } from '../src/core/session.ts'
import { createState, take } from '../src/core/state.ts'
import { Recorder } from '../src/ingest/recorder.ts'
import { recordingKinds } from '../src/ingest/recording.ts'
import { type Replay, ReplayFault, replay } from '../src/replay.ts'
import { Ledger, openDatabase } from '../src/store/ledger.ts'
import { expectation, expectations, four, recording, rejectedLines, sessionLines } from './recordings/expectations.ts'

const LINGER_MS = 30_000
const scratch = mkdtempSync(join(tmpdir(), 'fettle-replay-'))
after(() => rmSync(scratch, { recursive: true }))

function template(text: string = DEFAULT_TEMPLATE): Template {
  const found = readTemplate(text)
  assert.ok('fields' in found)
  return found
}

async function replayed(...files: string[]): Promise<Replay> {
  return replay(files, template(), LINGER_MS)
}

let written = 0

/** A file with this content. */
function fileOf(content: string | Uint8Array): string {
  const path = join(scratch, `${written++}.txt`)
  writeFileSync(path, content)
  return path
}

async function replayedFor(name: string): Promise<Replay> {
  const { files, template: username } = expectation(name)
  return replay(files.map(recording), template(username), LINGER_MS)
}

for (const { name, sessions, rejected } of expectations) {
  test(`[R27] ${name} comes to what was worked out without fettle`, async () => {
    const result = await replayedFor(name)
    assert.deepEqual(result.sessions.map(sessionLines), sessions)
    assert.deepEqual(rejectedLines(result), rejected)
    assert.deepEqual([result.malformed, result.compared], [0, []])
  })
}

// What is said in the expectations, said once more in words.

test('[R8, R19, R24] a call pasted into notes in 2018 keeps counters and account, and has no times', async () => {
  const [session, ...others] = (await replayedFor('note-2018-call')).sessions
  assert.deepEqual(others, [])
  assert.equal(session?.account, '18152649')
  assert.equal(session.device, '26e4cd38fa6fc39fa8fc40fb25fe558c')
  assert.deepEqual(session.labels, { kind: '21', client: '24' })
  assert.equal(four(session.client), '5785,5862284,2407,114451')
  assert.equal(session.peer, null)
  assert.deepEqual([session.startedAt, session.endedAt, session.relaySeconds], [null, null, null])
})

test('[R17] a call ended by a button is known from its total, and what its reports lacked is named', async () => {
  const [session] = (await replayedFor('note-2018-stopped-by-button')).sessions
  assert.equal(session?.account, '18152992')
  assert.equal(four(session.client), '4595,4367095,1549,74756')
  assert.equal(session.quality, 'exact')
  assert.equal(session.allocations.find(({ carries }) => carries)?.unheard.packets, 4096)
})

test('[R10] what a client with a wrong password moved is nobody’s, in every form', async () => {
  for (const name of ['j-call-log.txt', 'j-call-resp.txt', 'k-call-log.txt', 'k-call-resp.txt']) {
    const result = await replayed(recording(name))
    assert.ok(result.rejected.some(({ username }) => username === 'victim'))
    assert.deepEqual(
      result.sessions.map(({ device }) => device),
      ['carol/desk'],
    )
  }
})

test('[R10] a username that looks like a line of the log is no line of the log', async () => {
  const { sessions, rejected } = await replayed(recording('l-forged-log.txt'))
  assert.deepEqual(
    [...sessions, ...rejected].filter((one) => JSON.stringify(one).includes('bob')),
    [],
  )
})

test('[R16] an open allocation is a lower bound, and so is its session', async () => {
  const [session] = (await replayed(recording('f-turnserver-killed-psubscribe.txt'))).sessions
  assert.equal(session?.quality, 'lower_bound')
  assert.deepEqual(session.missing.packets, 2 * 4095)
})

test('[R12, R21] calls less than 30 s apart are one session; without a `new` its start is null', async () => {
  const { sessions } = await replayed(recording('g-redis-restart-2-psubscribe.txt'))
  assert.deepEqual(
    sessions.map(({ startedAt, allocations }) => [startedAt, allocations.map((one) => one.startedAt !== null)]),
    [[null, [false, false, true, true, true, true]]],
  )
})

/** The usage rows of a recording; replay's own ledger is gone by the time it returns. */
async function usageOf(file: string): Promise<string[]> {
  const lines = readFileSync(file, 'utf8').split('\n')
  const kind = recordingKinds.find((one) => one.detect(lines))!
  const ledger = new Ledger(openDatabase(':memory:'), { template: template(), lingerMs: LINGER_MS })
  const saved = ledger.restore([{ source: 'recording', name: kind.name, bootAware: kind.bootAware, version: null }])
  const state = createState()
  restore(state, saved)
  const recorder = new Recorder(saved.streams[0]!.id, (batch) => fold(state, batch))
  const reader = kind.reader()
  for (const line of lines) {
    const bytes = Buffer.from(line)
    reader.read(bytes, 0, bytes.length, recorder, true, Date.now())
  }
  recorder.flush()
  finishRecording(state)
  ledger.commit(take(state))
  const rows = ledger.db.prepare(`SELECT a.coturn_id AS id, iif(side, 'peer', 'client') AS side, bucket, entry,
    concat_ws(',', u.rcvp, u.rcvb, u.sentp, u.sentb) AS counters
    FROM usage u JOIN allocation a ON a.id = u.allocation_id
    ORDER BY a.id, u.side, bucket, entry`)
  const usage = rows.all().map(({ id, side, bucket, entry, counters }) => {
    assert.equal(entry, 0)
    return `usage ${id} ${side} ${new Date(Number(bucket) * 1000).toISOString()} ${counters}`
  })
  ledger.close()
  return usage
}

for (const { name, files, usage } of expectations.filter((one) => one.usage.length > 0)) {
  test(`[R26] ${name}: a report that spans boundaries is spread over its buckets`, async () => {
    assert.deepEqual(await usageOf(recording(files[0]!)), usage)
  })
}

// Several files.

const sameRun = [
  ...['a-uclient', 'b-datachannel20MB', 'c-video', 'd-turn-tcp', 'f-turnserver-killed', 'h-expiry'].map((run) => [
    [`${run}-psubscribe.txt`],
    [`${run}-monitor.txt`],
  ]),
  ['psubscribe', 'monitor'].map((form) => [1, 2].map((part) => `g-redis-restart-${part}-${form}.txt`)),
  ...['j-call', 'k-call', 'l-forged'].map((run) => [[`${run}-log.txt`], [`${run}-resp.txt`]]),
]

for (const [first, other] of sameRun) {
  test(`[R27] ${first} and ${other} are compared, agree to the byte and are not summed`, async () => {
    const alone = await replayed(...first!.map(recording))
    const both = await replayed(...[...first!, ...other!].map(recording))
    assert.deepEqual({ ...both, compared: [] }, alone)
    const allocations = alone.sessions.flatMap((session) => session.allocations).length
    const [compared, ...more] = both.compared
    assert.deepEqual([compared?.equal, compared?.differences, more], [allocations, [], []])
    assert.notEqual(compared?.first, compared?.other)
  })
}

test('[R27] files of one kind are one stream in the order given, however they are mixed with others', async () => {
  const parts = ['1-psubscribe', '1-monitor', '2-psubscribe', '2-monitor']
  const mixed = await replayed(...parts.map((part) => recording(`g-redis-restart-${part}.txt`)))
  assert.deepEqual(mixed.sessions.map(sessionLines), expectation('g-redis-restart-psubscribe').sessions)
  assert.deepEqual(mixed.compared[0]?.differences, [])
})

test('[R27] where two ledgers do not agree the path is named with what each has', async () => {
  const names = ['g-redis-restart-1-psubscribe.txt', 'g-redis-restart-1-monitor.txt', 'g-redis-restart-2-monitor.txt']
  const { compared, sessions } = await replayed(...names.map(recording))
  assert.equal(sessions[0]?.allocations.length, 2)
  const [{ equal, differences } = { equal: -1, differences: [] }] = compared
  assert.equal(equal, 0)
  assert.deepEqual(
    differences.map(({ first, other }) => [first === null, other === null]),
    [[false, false], [false, false], ...Array(4).fill([true, false])],
  )
})

/** A coturn that starts at `t` and opens an allocation whose id every start gives out anew. */
const boot = (t: number) => `${t}\t1\t# connect
${t + 1}\t1\t["keys","turn/*/allocation/*/status"]
${t + 2}\t1\t["PUBLISH","turn/realm/r/user/u/allocation/000000000000000001/status","new lifetime=600"]
`

const boots = ({ sessions }: Replay) =>
  sessions.flatMap(({ allocations }) => allocations).map((one) => `${one.boot} ${one.end}`)

test('[R3, R27] a capture tells the boots of a server apart', async () => {
  const close = '1700000005000\t1\t# close\n'
  const result = await replayed(fileOf(boot(1_700_000_000_000) + close + boot(1_700_000_010_000)))
  assert.deepEqual(boots(result), ['1 restarted', '2 open'])
})

test('[R3, R27] a connection that connects once more is another one: the capture was broken off between', async () => {
  const result = await replayed(fileOf(boot(1_700_000_000_000)), fileOf(boot(1_700_000_010_000)))
  assert.deepEqual(boots(result), ['1 restarted', '2 open'])
})

// The same recording as other programs leave it.

const CALL = [
  ['status', 'new lifetime=600'],
  ['traffic', 'rcvp=1, rcvb=2, sentp=3, sentb=4'],
  ['status', 'deleted'],
  ['total_traffic', 'rcvp=5, rcvb=6, sentp=7, sentb=8'],
] as const

type Form = (user: string) => string

const escaped = (text: string) =>
  Array.from(Buffer.from(text), (byte) => {
    const letter = String.fromCharCode(byte)
    if (letter === '"' || letter === '\\') return `\\${letter}`
    return byte < 32 || byte > 126 ? `\\x${byte.toString(16).padStart(2, '0')}` : letter
  }).join('')

/** A call of `user` in each form, as the program prints it that makes such a recording. */
const forms: Readonly<Record<string, Form>> = {
  resp: (user) => call(user, (t, channel, text) => `${t}.5\t1\t${JSON.stringify(['publish', channel, text])}`),
  monitor: (user) =>
    call(user, (t, channel, text) => {
      const stamp = `${String(t).slice(0, 10)}.${String(t).slice(10)}999`
      return `${stamp} [13 127.0.0.1:47158] "publish" "${escaped(channel)}" "${text}"`
    }),
  'psubscribe with times': (user) => call(user, (t, channel, text) => `${t}.25\t${channel}\t${text}`),
  psubscribe: (user) =>
    call(user, (_, channel, text) => `1) "pmessage"\n2) "turn/*"\n3) "${escaped(channel)}"\n4) "${text}"`),
  'coturn log': (user) =>
    [
      'new, ?, lifetime=600',
      'usage: ?, rp=1, rb=2, sp=3, sb=4',
      'usage: ?, rp=4, rb=4, sp=4, sb=4',
      'closed (2nd stage), user <u> realm <r> origin <>, local 192.0.2.1:3478, remote 192.0.2.2:4, reason: timeout',
      'delete: ?',
    ]
      .map((text) => text.replace('?', `realm=<r>, username=<${user}>`))
      .map((text, i) => `2026-11-22T09:00:0${i}+0000: session 000000000000000001: ${text}`)
      .join('\n'),
}

function call(user: string, line: (t: number, channel: string, text: string) => string): string {
  const path = `turn/realm/r/user/${user}/allocation/000000000000000001`
  return CALL.map(([kind, text], i) => line(1_795_338_000_000 + i * 1001, `${path}/${kind}`, text)).join('\n')
}

/** What of the call came through: user, counters, quality and, where the form has times, when. */
function outcome(result: Replay): unknown[] {
  assert.equal(result.malformed, 0)
  return result.sessions
    .flatMap(({ allocations }) => allocations)
    .map((one) => [one.username, four(one.client), one.quality, one.startedAt, one.endedAt])
}

for (const [kind, form] of Object.entries(forms)) {
  const withTimes = kind !== 'psubscribe'
  const endedAt = kind === 'coturn log' ? '2026-11-22T09:00:04.000Z' : '2026-11-22T09:00:02.002Z'
  const times = withTimes ? ['2026-11-22T09:00:00.000Z', endedAt] : [null, null]
  const expected = (user: string) => [[user, '5,6,7,8', 'exact', ...times]]
  const variants: Readonly<Record<string, string>> = {
    'as it is': form('u'),
    'with a line end': `${form('u')}\n`,
    'with CRLF': form('u').replaceAll('\n', '\r\n'),
    'with a byte order mark': `\ufeff${form('u')}`,
    'after a prompt': `127.0.0.1:6379[13]> psubscribe turn/*\nReading messages... (Ctrl-C to quit)\nOK\n${form('u')}`,
    'among garbage': `${form('u').replaceAll('\n', '\n\n1) "\n\x00\ufffd\t\t"[]\n')}\n[]\n"`,
  }
  for (const [how, text] of Object.entries(variants)) {
    test(`[R27] ${kind} is known and read ${how}`, async () => {
      const files = [fileOf(text)]
      const said: string[] = []
      const result = await replay(files, template(), LINGER_MS, (line) => said.push(line))
      assert.deepEqual(said, [`${kind}: ${files[0]}`])
      assert.deepEqual(outcome(result), expected('u'))
    })
  }

  test(`[R1, R27] ${kind} keeps usernames of any kind`, async () => {
    const path = 'a/allocation/000000000000000002/status'
    const plain = ['a/b', 'a/user/b', path, 'x>, username=<y']
    const odd = ['two words', 'q"uo"te', 'back\\slash\\x41', '“curly”', 'zoë 👍', "it's"]
    for (const user of kind === 'coturn log' ? plain : [...plain, ...odd]) {
      assert.deepEqual(outcome(await replayed(fileOf(form(user)))), expected(user))
    }
  })

  test(`[R27] ${kind} whose last line is cut off keeps all before it`, async () => {
    const whole = form('u')
    const cut = whole.slice(0, whole.lastIndexOf('\n') + 30)
    const [allocation] = (await replayed(fileOf(cut))).sessions[0]!.allocations
    assert.equal(four(allocation!.client), kind === 'coturn log' ? '5,6,7,8' : '1,2,3,4')
    assert.equal(allocation!.quality, 'lower_bound')
  })
}

test('[R27] psubscribe is known as redis-cli writes it into a file, plain', async () => {
  const plain = forms.psubscribe!('u').replaceAll(/^\d\) "(.*)"$/gm, '$1')
  assert.match(plain, /^pmessage$/m)
  assert.deepEqual(outcome(await replayed(fileOf(plain))), outcome(await replayed(fileOf(forms.psubscribe!('u')))))
})

test('[R27] psubscribe is known as redis-cli numbers it in its newer protocol, and by plain subscribe', async () => {
  const pushed = forms.psubscribe!('u').replaceAll(/^(\d)\)/gm, '$1>')
  assert.equal(outcome(await replayed(fileOf(pushed))).length, 1)
  const plain = forms.psubscribe!('u')
    .replaceAll(/^2\) "turn.*\n/gm, '')
    .replaceAll('pmessage', 'message')
    .replaceAll(/^3\)/gm, '2)')
    .replaceAll(/^4\)/gm, '3)')
  assert.deepEqual(outcome(await replayed(fileOf(plain))), outcome(await replayed(fileOf(pushed))))
})

test('[R27] monitor is known whatever the address of the client', async () => {
  for (const address of ['[::1]:47158', 'unix:/run/redis/redis.sock', 'lua']) {
    const text = forms.monitor!('u').replaceAll('127.0.0.1:47158', address)
    assert.equal(outcome(await replayed(fileOf(text))).length, 1, address)
  }
})

test('[R24, R27] monitor’s times are exact to the millisecond', async () => {
  for (let ms = 0; ms < 1000; ms += 37) {
    const stamp = `1795338000.${String(ms).padStart(3, '0')}000`
    const text = forms.monitor!('u').replace(/^\S+/, stamp)
    const [first] = outcome(await replayed(fileOf(text))) as [unknown[]]
    assert.equal(first[3], new Date(1_795_338_000_000 + ms).toISOString())
  }
})

test('[R27] a log is known whatever coturn prints in front of a line, and times are read where they are', async () => {
  const fronts = [
    '12: session',
    '12: : session',
    '12: (972): INFO: session',
    '2026-11-22T09:00:00+0000(972): INFO: session',
  ]
  for (const front of fronts) {
    const text = forms['coturn log']!('u').replaceAll(/^\S+ session/gm, front)
    const [[user, counters, quality, startedAt]] = outcome(await replayed(fileOf(text))) as [unknown[]]
    assert.deepEqual([user, counters, quality], ['u', '5,6,7,8', 'exact'])
    assert.equal(startedAt, front.startsWith('12:') ? null : '2026-11-22T09:00:00.000Z')
  }
})

test('[R27] a log that begins with a thousand refusals, as after its rotation, is known', async () => {
  const refused =
    '2026-11-22T08:59:59+0000: session 000000000000000009: realm <r> user <v>: incoming packet message processed, error 401: Unauthorized\n'
  const result = await replayed(fileOf(refused.repeat(1000) + forms['coturn log']!('u')))
  assert.equal(outcome(result).length, 1)
})

test('[R1, R27] what looks like an event and is none is counted', async () => {
  const bad = [
    'traffic\trcvp=1, rcvb=2',
    'traffic\trcvp=x, rcvb=2, sentp=3, sentb=4',
    'states\tnew lifetime=600',
    'status\tgone',
  ]
  const path = 'turn/realm/r/user/u/allocation/000000000000000002'
  const lines = bad.map((text) => `1795338000000\t${path}/${text}\n`).join('')
  const result = await replayed(fileOf(lines + forms['psubscribe with times']!('u')))
  assert.equal(result.malformed, bad.length)
  assert.equal(outcome({ ...result, malformed: 0 }).length, 1)
})

test('[R1, R27] a path that is longer than any of coturn’s is counted and does no harm', async () => {
  const long = forms.monitor!('u'.repeat(5000))
  const result = await replayed(fileOf(`${long}\n${forms.monitor!('u')}`))
  assert.equal(result.malformed, CALL.length)
  assert.equal(outcome({ ...result, malformed: 0 }).length, 1)
})

test('[R27] a file that is no recording is a fault that names it', async () => {
  const good = fileOf(forms.monitor!('u'))
  const pictures = new Uint8Array(100_000).map((_, i) => i * 7)
  const bad = [fileOf(''), fileOf('\n\n'), fileOf('hello\n'), fileOf(pictures), scratch, join(scratch, 'nowhere.txt')]
  for (const file of bad) {
    await assert.rejects(replayed(good, file), (error) => {
      assert.ok(error instanceof ReplayFault)
      assert.ok(error.message.startsWith(`${file}: `), error.message)
      assert.doesNotMatch(error.message, /\n/)
      return true
    })
  }
})

test('[R27] a line of 3 MB is passed over, at the beginning, between and at the end', async () => {
  const long = 'x'.repeat(3_000_000)
  for (const [kind, form] of Object.entries(forms)) {
    const lines = form('u').split('\n')
    const text = [long, ...lines.slice(0, -1), long, lines.at(-1), long].join('\n')
    assert.deepEqual(outcome(await replayed(fileOf(text))), outcome(await replayed(fileOf(form('u')))), kind)
  }
  await assert.rejects(replayed(fileOf(long)), ReplayFault)
})
