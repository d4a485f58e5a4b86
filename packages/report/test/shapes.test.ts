/** The shapes of answers that tools give: a login's waterfall, an archive's plan. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Quantity } from '../src/quantity.ts'
import { reportText } from '../src/render.ts'
import type { Report } from '../src/report.ts'

const s = (value: number): Quantity => ({ value, unit: 's' })

const login: Report = {
  schema: 'fettle.report/1',
  tool: 'ssh check',
  subject: 'root@10.0.0.7',
  at: '2026-11-25T10:00:00.000Z',
  seconds: 26,
  measures: [
    { name: 'login', title: 'login', quantity: { value: 25.31, unit: 's', low: 25.2, high: 25.4 }, better: 'less' },
  ],
  tables: [
    {
      name: 'phases',
      title: 'Where the seconds go',
      columns: [
        { name: 'phase', title: 'PHASE' },
        { name: 'seconds', title: 'SECONDS' },
        { name: 'last', title: 'LAST LINE', flexible: true },
      ],
      rows: [
        ['name lookup', s(0.02), null],
        ['key exchange', s(0.08), 'debug1: SSH2_MSG_KEXINIT sent'],
        ['authentication', s(0.18), 'debug1: Authentications that can continue: publickey'],
        ['session', s(25.03), 'debug1: pledge: network'],
      ],
    },
  ],
  findings: [
    {
      code: 'ssh.session-dbus',
      severity: 'fault',
      subject: '',
      says: 'The server waits 25 s for systemd-logind before it opens the session.',
      cause: 'pam_systemd asks logind by D-Bus, and 25 s is how long a call of D-Bus waits.',
      confidence: 'likely',
      quantities: { stall: s(25.03) },
      evidence: [{ source: 'ssh -vvv, line 83', text: 'debug1: pledge: network' }],
      remedy: ['on the server: systemctl restart systemd-logind'],
    },
  ],
  unseen: [{ what: 'the server’s side', why: 'run fettle ssh check --server there' }],
}

test('a waterfall: its phases add up to the measure, and all fits 60 columns', () => {
  const [phases] = login.tables
  const sum = phases!.rows.reduce((total, [, seconds]) => total + (seconds as Quantity).value, 0)
  assert.ok(Math.abs(sum - login.measures[0]!.quantity.value) < 1e-9)
  assert.equal(
    reportText(login, 60),
    `ssh check root@10.0.0.7, 2026-11-25 10:00:00 UTC, 26 s

login  25.3 s (25.2 to 25.4)

Where the seconds go
PHASE           SECONDS  LAST LINE
name lookup       20 ms  -
key exchange      80 ms  debug1: SSH2_MSG_KEXINIT sent
authentication   180 ms  debug1: Authentications that can c…
session            25 s  debug1: pledge: network

fault    The server waits 25 s for systemd-logind before it
         opens the session.
         likely: pam_systemd asks logind by D-Bus, and 25 s
         is how long a call of D-Bus waits.
           ssh -vvv, line 83: debug1: pledge: network
           -> on the server: systemctl restart
           systemd-logind

not seen: the server’s side; run fettle ssh check --server
there

1 fault.
`,
  )
})

test('an archive: its plan is a few numbers, and a name in it steers nothing', () => {
  const archive: Report = {
    ...login,
    tool: 'zip check',
    subject: 'backup.zip',
    at: null,
    seconds: null,
    measures: [
      { name: 'entries', title: 'entries', quantity: { value: 200_000, unit: '1' } },
      { name: 'bytes', title: 'unpacked', quantity: { value: 5.1e8, unit: 'B' } },
    ],
    tables: [],
    findings: [
      {
        code: 'zip.path-escape',
        severity: 'fault',
        subject: '../../etc/\u001b]0;x\u0007passwd',
        says: 'would be written outside of the folder.',
        confidence: 'measured',
        quantities: {},
        evidence: [{ source: 'central directory, entry 17', text: 'offset 4711' }],
        remedy: ['it is never extracted'],
      },
    ],
    unseen: [],
  }
  const text = reportText(archive, 100)
  assert.match(text, /^zip check backup\.zip\n\nentries {3}200,000\nunpacked {2}510 MB\n\n/)
  assert.ok(
    text.includes('fault    ../../etc/\\u001b]0;x\\u0007passwd: would be written outside of the folder.\n'),
    text,
  )
})
