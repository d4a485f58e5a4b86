/** Logs as files: what of them comes to records. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import type { AllocationRecord } from '../src/core/record.ts'
import { DEFAULT_TEMPLATE, readTemplate, type Template } from '../src/core/session.ts'
import { type Replay, replay } from '../src/replay.ts'

const template = readTemplate(DEFAULT_TEMPLATE) as Template
const scratch = mkdtempSync(join(tmpdir(), 'fettle-log-'))
after(() => rmSync(scratch, { recursive: true }))

const at = (second: number) => `2026-11-22T09:00:${String(second).padStart(2, '0')}.500+0000 INFO `
const ID = '001000000000000007'

/** A call of one allocation: 10 lines, from the given second on. */
function call(user = 'ann', tls = ', cipher=TLS_AES_256_GCM_SHA384, method=TLSv1.3', origin = 'https://a.example:443') {
  const who = `realm=<r>, username=<${user}>`
  return [
    `new, ${who}, lifetime=600${tls}`,
    `usage: ${who}, rp=1, rb=2, sp=3, sb=4`,
    `peer usage: ${who}, rp=5, rb=6, sp=7, sb=8`,
    `refreshed, ${who}, lifetime=0${tls}`,
    `usage: ${who}, rp=10, rb=10, sp=10, sb=10`,
    `peer usage: ${who}, rp=20, rb=20, sp=20, sb=20`,
    `closed (2nd stage), user <${user}> realm <r> origin <${origin}>, local 192.0.2.1:5349, remote [2001:db8::1]:99, reason: TLS/TCP connection closed by client (callback)`,
    `delete: ${who}`,
  ].map((text, i) => `${at(i)}session ${ID}: ${text}\n`)
}

let written = 0

async function replayed(content: string | Uint8Array, mtime?: Date): Promise<Replay> {
  const file = join(scratch, `${written++}.log`)
  writeFileSync(file, content)
  if (mtime) utimesSync(file, mtime, mtime)
  return replay([file], template, 30_000)
}

const recordsOf = ({ sessions }: Replay): AllocationRecord[] => sessions.flatMap(({ allocations }) => allocations)
const told = ({ username, quality, client, peer }: AllocationRecord) => [
  username,
  quality,
  Object.values(client).join(),
  Object.values(peer ?? {}).join(),
]
const EXACT = ['exact', '12,11,14,13', '26,25,28,27']

test('[R27, R41] a call over TLS in the form of 4.17: counters, times, origin, addresses and reason', async () => {
  const [one] = recordsOf(await replayed(call().join('')))
  assert.deepEqual(told(one!), ['ann', ...EXACT])
  assert.deepEqual(
    [one!.startedAt, one!.endedAt, one!.origin, one!.closeReason, one!.serverAddress, one!.clientAddress],
    [
      '2026-11-22T09:00:00.500Z',
      '2026-11-22T09:00:07.500Z',
      'https://a.example:443',
      'TLS/TCP connection closed by client (callback)',
      '192.0.2.1:5349',
      '[2001:db8::1]:99',
    ],
  )
})

test('[R41] an origin is the client’s own words: it counts nothing and is kept as it is', async () => {
  const origins = ['', 'x, reason=y, origin=z', 'x>, local 1.1.1.1:1, remote 2.2.2.2:2, reason: none', 'é']
  for (const origin of origins) {
    const [one] = recordsOf(await replayed(call('ann', '', origin).join('')))
    assert.deepEqual([one!.origin, one!.serverAddress, one!.quality], [origin || null, '192.0.2.1:5349', 'exact'])
    assert.equal(one!.closeReason, 'TLS/TCP connection closed by client (callback)')
  }
})

test('[R41] the end of a session that never had an allocation is nobody’s', async () => {
  const { sessions } = await replayed(
    call()
      .filter((line) => /usage|closed/.test(line))
      .join(''),
  )
  assert.deepEqual(sessions, [])
})

test('[R1, R27] bytes of a name that are no UTF-8 survive, and letters of every kind', async () => {
  const bytes = Buffer.from(call('x\xff\xa0\x85y', '').join(''), 'latin1')
  assert.deepEqual(recordsOf(await replayed(bytes)).map(told), [['x\\xff\\xa0\\x85y', ...EXACT]])
  assert.deepEqual(recordsOf(await replayed(call('zoëà👍', '').join(''))).map(told), [['zoëà👍', ...EXACT]])
})

test('[R27] a packed log is unpacked, of several parts too; what came before a break counts, and that is said', async () => {
  const lines = call()
  const parts = Buffer.concat([gzipSync(lines.slice(0, 3).join('')), gzipSync(lines.slice(3).join(''))])
  assert.deepEqual(recordsOf(await replayed(parts)).map(told), [['ann', ...EXACT]])
  // A second part that does not pack well, cut in its middle.
  const noise = Array.from({ length: 5000 }, (_, i) => `${at(9)}noise ${Math.sin(i)}\n`).join('')
  const first = gzipSync(lines.join(''))
  const second = gzipSync(noise)
  const cut = Buffer.concat([first, second]).subarray(0, first.length + second.length / 2)
  const result = await replayed(cut)
  assert.deepEqual(recordsOf(result).map(told), [['ann', ...EXACT]])
  assert.match(result.cut.join(), /^\S+: gzip breaks off; what came before counts$/)
  assert.equal((await replayed(parts)).cut.length, 0)
})

test('[R27] the year of syslog is the one in which the file was written last', async () => {
  const text = call().map((line, i) => line.replace(/^\S+ INFO/, `Dec 31 23:59:5${i} h turnserver[7]: 9:`))
  const [one] = recordsOf(await replayed(text.join(''), new Date(2024, 0, 1)))
  assert.equal(one!.startedAt, new Date(2023, 11, 31, 23, 59, 50).toISOString())
})

test('[R3, R27] two processes in one log are told apart where the front tells them', async () => {
  const of = (pid: number) =>
    call().map((line) => line.replace(/^\S+ INFO/, `Dec 31 23:59:50 h turnserver[${pid}]: 9:`))
  const [a, b] = [of(1), of(2)]
  const records = recordsOf(await replayed(a.flatMap((line, i) => [line, b[i]!]).join('')))
  assert.deepEqual(records.map(told), [
    ['ann', ...EXACT],
    ['ann', ...EXACT],
  ])
})

test('[R3, R27] processes are the same ones in the next file', async () => {
  const of = (pid: number) =>
    call().map((line) => line.replace(/^\S+ INFO/, `Dec 31 23:59:50 h turnserver[${pid}]: 9:`))
  const a = of(1)
  const b = of(2).map((line) => line.replace('rp=10,', 'rp=110,'))
  const first = join(scratch, 'rotated.log.1')
  const then = join(scratch, 'rotated.log')
  writeFileSync(first, a.slice(0, 3).join('') + b.slice(0, 3).join(''))
  writeFileSync(then, b.slice(3).join('') + a.slice(3).join(''))
  const records = recordsOf(await replay([first, then], template, 30_000))
  assert.deepEqual(records.map(told), [
    ['ann', ...EXACT],
    ['ann', 'exact', '12,111,14,13', EXACT[2]],
  ])
})

test('[R40] a log that is damaged over and over makes nothing exact any more, and takes no longer for it', async () => {
  const damage = `${call().slice(1, 2).join('').slice(0, -3)}\n${call('bob')[0]}`
  const { sessions, gaps, malformed } = await replayed(damage.repeat(3000) + call().join(''))
  assert.deepEqual([gaps.length, malformed], [1000, 3000])
  assert.equal(sessions.at(-1)!.allocations.at(-1)!.quality, 'lower_bound')
})
