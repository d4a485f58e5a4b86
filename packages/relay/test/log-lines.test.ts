/** What coturn's log says, line by line: every form of what stands in front, and what must not be taken for one. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readFront } from '../src/ingest/log-front.ts'

const SEEN = Date.parse('2026-11-24T12:00:00Z')
const BODY = 'session 000000000000000001: usage: realm=<r>, username=<u>, rp=1, rb=2, sp=3, sb=4'
const T = Date.parse('2026-11-24T03:00:01Z')
const json = (value: unknown) => JSON.stringify(value)
/** In this machine's zone. */
const local = new Date(2026, 10, 24, 3, 0, 1).getTime()

/** What stands in front, its time and its process. */
const fronts: readonly [front: (text: string) => string, t: number, process: string][] = [
  // coturn 4.5 and 4.6.1.
  [(text) => `123: ${text}`, Number.NaN, ''],
  [(text) => `123: : ${text}`, Number.NaN, ''],
  [(text) => `2026-11-24T03:00:01+0000: ${text}`, T, ''],
  [(text) => `2026-11-24T04:00:01+0100: : ${text}`, T, ''],
  // 4.6.2 to 4.16, on Linux and elsewhere, with file and line.
  [(text) => `123: (972): INFO: ${text}`, Number.NaN, ''],
  [(text) => `123: INFO: ${text}`, Number.NaN, ''],
  [(text) => `2026-11-24T03:00:01+0000(972): INFO: ${text}`, T, ''],
  [(text) => `2026-11-24T03:00:01+0000(972): ns_ioalib_engine_impl.c(3519):INFO: ${text}`, T, ''],
  // 4.17.
  [(text) => `123 INFO ${text}`, Number.NaN, ''],
  [(text) => `2026-11-24T03:00:01.224+0000 INFO ${text}`, T + 224, ''],
  [(text) => `2026-11-24T03:00:01.224+0000 src/apps/relay/ns_ioalib_engine_impl.c(3519) INFO ${text}`, T + 224, ''],
  // Time formats of the operator's own.
  [(text) => `2026-11-24 03:00:01 INFO ${text}`, local, ''],
  [(text) => `2026-11-24T03:00:01: ${text}`, local, ''],
  [(text) => `2026-11-24T03:00:01Z(972): INFO: ${text}`, T, ''],
  // syslog and the journal.
  [(text) => `Nov 24 03:00:01 relay1 turnserver[812]: 123: ${text}`, local, 'relay1 turnserver[812]'],
  [(text) => `<30>Nov 24 03:00:01 relay1 turnserver: 123: : ${text}`, local, 'relay1 turnserver'],
  [(text) => `Nov 24 03:00:01.500000 relay1 turnserver[812]: 123: ${text}`, local + 500, 'relay1 turnserver[812]'],
  [(text) => `2026-11-24T03:00:01+0000 relay1 turnserver[812]: 9: ${text}`, T, 'relay1 turnserver[812]'],
  [(text) => `2026-11-24T03:00:01.250000+00:00 relay1 turnserver[812]: 9: ${text}`, T + 250, 'relay1 turnserver[812]'],
  [(text) => `<30>1 2026-11-24T03:00:01.250Z relay1 turnserver 812 - - 9: ${text}`, T + 250, 'relay1 turnserver[812]'],
  [(text) => `<30>1 2026-11-24T03:00:01Z h turnserver 8 ID [a@1 b="c"] \xef\xbb\xbf9: ${text}`, T, 'h turnserver[8]'],
  [
    (text) => json({ _PID: '812', _HOSTNAME: 'h', __REALTIME_TIMESTAMP: `${T}123`, MESSAGE: `9: ${text}` }),
    T,
    'h [812]',
  ],
  [(text) => json({ MESSAGE: [...Buffer.from(`9: ${text}`)], __REALTIME_TIMESTAMP: `${T}000` }), T, ''],
  // Containers.
  [(text) => json({ log: `9: ${text}\n`, stream: 'stdout', time: '2026-11-24T03:00:01.5Z' }), T + 500, ''],
  [(text) => `coturn-1  | 9: (12): INFO: ${text}`, Number.NaN, 'coturn-1'],
  [(text) => `coturn-1  | 2026-11-24T03:00:01.224000001Z 9: ${text}`, T + 224, 'coturn-1'],
  [(text) => `2026-11-24T03:00:01.224000001Z stdout F 9: ${text}`, T + 224, ''],
]

for (const [front, t, process] of fronts) {
  test(`[R27] a log's line is known by its front: ${front('...')}`, () => {
    const found = readFront(front(BODY), SEEN)
    assert.deepEqual([found?.t, found?.process, found?.body], [t, process, BODY])
  })
}

test('[R27] what is in front must be one of the known forms, whole', () => {
  const refused = [
    '',
    'mallory ',
    '6: : ERROR: check_stun_auth: wrong username: mallory ',
    '2026-11-24T03:00:01.224+0000 ERROR check_stun_auth: ',
    '2026-11-24T03:00:01.224+0000 WARNING mallory[1]: 6: ',
    '6: : session 000000000000000002: realm <r> user <',
    'Nov 24 03:00:01 relay1 turnserver[812]: ',
    'Nov 24 03:00:01 relay1 turnserver[812]: x 6: ',
    'coturn-1  | x 6: ',
    '2026-11-24T03:00:01+0000 6 ',
    ' 6: ',
  ]
  for (const front of refused) {
    const found = readFront(front + BODY, SEEN)
    assert.notEqual(found?.body, BODY, front)
  }
  // Docker cuts a line that is too long: a part of one is none.
  assert.equal(readFront(json({ log: `9: ${BODY}`, time: '2026-11-24T03:00:01Z' }), SEEN), undefined)
})

test('[R27] syslog has no year: it is the last one in which the line was not in the future', () => {
  const t = (stamp: string, seenAt: Date) => readFront(`${stamp} h turnserver[1]: 9: ${BODY}`, seenAt.getTime())?.t
  const at = (...args: [number, number, number, number?, number?]) => new Date(...args)
  assert.equal(t('Dec 31 23:59:59', at(2027, 0, 1)), new Date(2026, 11, 31, 23, 59, 59).getTime())
  assert.equal(t('Jan  1 00:00:00', at(2027, 0, 1)), at(2027, 0, 1).getTime())
  assert.equal(t('Feb 29 12:00:00', at(2026, 5, 1)), at(2024, 1, 29, 12).getTime())
  // A clock that is some seconds ahead is neither a year nor the future.
  assert.equal(t('Jun  1 00:00:09', at(2026, 5, 1)), at(2026, 5, 1).getTime())
  assert.equal(t('Jan  1 00:00:03', at(2026, 11, 31, 23, 59)), at(2026, 11, 31, 23, 59).getTime())
  assert.ok(Number.isNaN(t('Foo  1 00:00:03', at(2026, 5, 1))))
})
