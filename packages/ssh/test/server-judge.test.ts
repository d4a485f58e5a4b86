/** What is said of what was seen on a server. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { reportOf, reportText } from '@fettle/report'
import { readConfig } from '../src/core/server/config.ts'
import {
  type BusSeen,
  type Facts,
  type LoginSeen,
  learn,
  type NamesSeen,
  nextLook,
  nothingYet,
  type SettingsSeen,
} from '../src/core/server/facts.ts'
import { judge } from '../src/core/server/judge.ts'
import type { PamLine } from '../src/core/server/pam.ts'
import { type Peer, type Sample, waitedFor } from '../src/core/server/watch.ts'

const process = (pid: number, parent: number, program: string, ...peers: Peer[]) => ({
  ...{ pid, parent, program, peers, files: [] as string[] },
})
const SSHD = '/usr/sbin/sshd'
const dns: Peer = { kind: 'network', protocol: 'udp', address: '10.0.0.9', port: 53 }
const bus: Peer = { kind: 'local', path: '/run/dbus/system_bus_socket' }
const log: Peer = { kind: 'local', path: '/dev/log' }

test('[S26] a program that sshd runs is waited for, down to the last; else whom sshd has asked', () => {
  const samples: Sample[] = [
    { at: 0, processes: [process(1, 0, SSHD, log)] },
    { at: 1, processes: [process(1, 0, SSHD), process(2, 1, '/bin/a'), process(3, 2, '/bin/sleep', dns)] },
    { at: 3, processes: [process(1, 0, SSHD, bus), process(2, 1, '/usr/lib/openssh/sshd-session', log)] },
    { at: 3.5, processes: [process(1, 0, SSHD, dns)] },
  ]
  assert.deepEqual(waitedFor(samples, 0.5, 9), [
    { awaited: { kind: 'peer', peer: dns }, seconds: 5.5 },
    { awaited: { kind: 'program', programs: ['/bin/a', '/bin/sleep'] }, seconds: 2 },
    { awaited: { kind: 'peer', peer: bus }, seconds: 0.5 },
  ])
  assert.deepEqual(waitedFor(samples, 0, 1), [])
})

test('[S26] a file is what it waits for only where there is nobody else', () => {
  const one = { ...process(1, 0, SSHD), files: ['/var/log/wtmp', '/var/log/btmp'] }
  assert.deepEqual(waitedFor([{ at: 0, processes: [one] }], 0, 1), [
    { awaited: { kind: 'file', file: '/var/log/btmp' }, seconds: 1 },
  ])
  assert.equal(waitedFor([{ at: 0, processes: [{ ...one, peers: [bus] }] }], 0, 1)[0]!.awaited.kind, 'peer')
})

test('[S26] the own connection, and programs on this machine that nobody asks, are not waited for', () => {
  const own: Peer = { kind: 'network', protocol: 'tcp', address: '127.0.0.1', port: 8080 }
  const local: Peer = { kind: 'network', protocol: 'udp', address: '127.0.0.53', port: 53 }
  assert.deepEqual(waitedFor([{ at: 0, processes: [process(1, 0, SSHD, own)] }], 0, 1), [])
  assert.equal(waitedFor([{ at: 0, processes: [process(1, 0, SSHD, own, local)] }], 0, 1).length, 1)
})

const pam = (type: PamLine['type'], module: string, line: number, ...args: string[]): PamLine => ({
  ...{ type, module, args, line, control: 'optional', file: '/etc/pam.d/sshd' },
})

function factsOf(more: Partial<Facts>, effective: Readonly<Record<string, string>> = {}): Facts {
  const settings: SettingsSeen = {
    config: readConfig('/etc/ssh/sshd_config', {
      text: () => '#\nUseDNS yes\nGSSAPIAuthentication yes',
      files: () => [],
    }),
    effective: new Map(Object.entries({ usepam: 'yes', ...effective }).map(([name, value]) => [name, [value]])),
    refused: null,
    startups: null,
    clients: [],
    load: { wanting: 1, cpus: 2 },
    wrappers: [],
    hasKeytab: false,
  }
  const plan = { user: 'ops', clients: [], config: '/etc/ssh/sshd_config', login: true }
  const stack = [pam('session', 'pam_systemd', 1), pam('session', 'pam_motd', 2), pam('session', 'pam_sss', 3)]
  return { ...nothingYet(plan), settings, pam: { service: 'sshd', stack }, ...more }
}

const LOG = `0.1 ERR Connection from 127.0.0.1 port 1 on 127.0.0.1 port 2
0.2 ERR debug1: userauth-request for user ops service ssh-connection method none [preauth]
0.3 ERR debug1: PAM: establishing credentials
4.3 ERR debug1: Entering interactive session for SSH2.
4.4 ERR Starting session: command for ops from 127.0.0.1 port 1 id 0
`

const login = (samples: Sample[]): LoginSeen => ({
  ...{ isIn: true, why: null, seconds: 4.5, isCut: false, log: LOG, samples },
})

const work = (facts: Facts) =>
  judge(facts)
    .findings.filter(({ severity }) => severity !== 'note')
    .map(({ code, subject, confidence }) => [code, subject, confidence])

test('[S26] who is waited for while the session is opened is named, with the words of the client’s half', () => {
  const at = (...peers: Peer[]) => factsOf({ login: login([{ at: 0, processes: [process(1, 0, SSHD, ...peers)] }]) })
  const ldap: Peer = { kind: 'network', protocol: 'tcp', address: '10.0.0.7', port: 636 }
  const sssd: Peer = { kind: 'local', path: '/var/lib/sss/pipes/private/pam' }
  assert.deepEqual(work(at(bus)), [['ssh.session-dbus', 'systemd-logind', 'measured']])
  assert.deepEqual(work(at(dns)), [['ssh.session', '10.0.0.9', 'measured']])
  assert.deepEqual(work(at(ldap)), [['ssh.session', 'LDAP at 10.0.0.7', 'measured']])
  assert.deepEqual(work(at(sssd)), [['ssh.session', 'sssd (/var/lib/sss/pipes/private/pam)', 'measured']])
  const nobody = judge(at()).findings[0]!
  assert.deepEqual([nobody.code, nobody.subject, nobody.confidence], ['ssh.session', '', 'possible'])
  assert.deepEqual(
    nobody.evidence.slice(0, 3).map(({ source, text }) => `${source} ${text.split(':')[0]}`),
    ['/etc/pam.d/sshd:1 pam_systemd', '/etc/pam.d/sshd:2 pam_motd', '/etc/pam.d/sshd:3 pam_sss'],
  )
})

test('[S26] what our own ssh takes is not sshd’s', () => {
  const late = LOG.replace(
    '4.3 ERR debug1: Entering',
    '4.2 ERR debug3: receive packet: type 90\n4.3 ERR debug1: Entering',
  )
  assert.deepEqual(work(factsOf({ login: { ...login([]), log: late } })), [])
})

test('[S28] on a busy machine everything takes longer, and that is said', () => {
  const facts = factsOf({})
  const busy = { ...facts, settings: { ...facts.settings!, load: { wanting: 7.25, cpus: 2 } } }
  const [one, ...more] = judge(busy).findings
  assert.deepEqual([one?.code, one?.severity, more], ['ssh.busy', 'note', []])
  assert.match(one!.says, /7\.3 processes want its 2 CPUs/)
})

test('[S26] what a login waits for and what was timed by itself is one thing', () => {
  const file = '/etc/update-motd.d/50-x'
  const processes = [process(1, 0, SSHD), process(2, 1, '/usr/bin/run-parts'), process(3, 2, file)]
  const motd = [{ file, seconds: 3.9, isCut: false, status: 0, linksTo: null }]
  const { findings, measures } = judge(factsOf({ login: login([{ at: 0, processes }]), motd }))
  assert.deepEqual(
    findings.map(({ code, subject }) => [code, subject]),
    [['ssh.session', file]],
  )
  assert.equal(findings[0]!.quantities.wait!.value, 4)
  assert.match(
    findings[0]!.evidence.map(({ text }) => text).join('\n'),
    /run-parts, which runs .*\n(?:.*\n)*.*run by itself/,
  )
  assert.deepEqual(
    measures.map(({ name, better }) => [name, better]),
    [
      ['login', 'less'],
      ['motd', 'less'],
    ],
  )
})

const names = (more: Partial<NamesSeen>): NamesSeen => ({
  ...{ role: 'client', subject: '10.0.0.1', seconds: 5, isCut: false, answer: null, backSeconds: null, resolvers: [] },
  ...more,
})

test('[S23] names are a fault only where somebody waits for them', () => {
  const slow = factsOf({ names: [names({})] }, { usedns: 'yes' })
  assert.deepEqual(work(slow), [['ssh.auth-start', '/etc/ssh/sshd_config:2 UseDNS', 'measured']])
  assert.deepEqual(work(factsOf({ names: [names({})] }, { usedns: 'no' })), [])
  assert.deepEqual(work(factsOf({ names: [names({ seconds: 0.1 })] }, { usedns: 'yes' })), [])
  const wrapped = factsOf({ names: [names({})] }, { usedns: 'no' })
  const settings = { ...wrapped.settings!, wrappers: [{ file: '/etc/hosts.deny', line: 3 }] }
  assert.deepEqual(work({ ...wrapped, settings }), [['ssh.banner', '/etc/hosts.deny:3', 'measured']])
})

test('[S23] a resolver that answered once is none that never does', () => {
  const silent = { server: '10.0.0.9', seconds: 5, code: 'silent' }
  const one = names({ seconds: 0.1, resolvers: [silent] })
  assert.deepEqual(work(factsOf({ names: [one] })), [['ssh.resolver', '10.0.0.9', 'measured']])
  const other = names({ seconds: 0.1, resolvers: [{ ...silent, code: 'ENOTFOUND' }] })
  assert.deepEqual(work(factsOf({ names: [one, other] })), [])
})

test('[S22] a logind that is there, refuses or has no bus is no fault; many sessions and a younger bus are told', () => {
  const seen: BusSeen = { answer: 'answers', seconds: 0.01, text: '', sessions: 2, files: 2, busLaterSeconds: null }
  for (const answer of ['answers', 'refuses', 'no bus', 'no program'] as const) {
    assert.deepEqual(work(factsOf({ bus: { ...seen, answer } })), [], answer)
  }
  assert.deepEqual(work(factsOf({ bus: { ...seen, files: 300_000 } })), [
    ['ssh.sessions-many', '/run/systemd/sessions', 'likely'],
  ])
  const late = judge(factsOf({ bus: { ...seen, answer: 'silent', seconds: 6, busLaterSeconds: 90 } })).findings[0]!
  assert.match(late.cause!, /The bus was started 1 min 30 s after logind/)
  assert.equal(late.severity, 'fault')
})

test('[S28] what was cut took longer than that, and stands so in the table', () => {
  const facts = factsOf({
    motd: [{ file: '/etc/update-motd.d/x', seconds: 60, isCut: true, status: null, linksTo: null }],
  })
  const text = reportText(reportOf('ssh check', 'server', null, judge(facts)), 100)
  assert.match(text, /takes more than 1 min 00 s, and each login/)
  assert.match(text, /message of the day +1 min 00 s +and no end +\/etc\/update-motd.d\/x/)
})

test('[S27] of commands in settings only the program is shown', () => {
  const facts = factsOf({}, { authorizedkeyscommand: '/bin/keys --token hidden', forcecommand: '/bin/x hidden' })
  assert.doesNotMatch(JSON.stringify(judge(facts)), /hidden/)
})

test('[S20, S25] each thing is looked at once; of a user only where one is named; nothing after refused settings', () => {
  const walk = (from: Facts) => {
    const looks: string[] = []
    let facts = from
    for (let look = nextLook(undefined, facts); look !== undefined; look = nextLook(undefined, facts)) {
      looks.push(Object.values(look).join(' '))
      const motdLeft = look.kind === 'motd-list' ? { motdLeft: ['/a', '/b'] } : {}
      facts = learn(facts, look, motdLeft)
      assert.ok(looks.length < 50)
    }
    return looks
  }
  const effective = { authorizedkeyscommand: '/bin/keys' }
  assert.deepEqual(walk(factsOf({}, effective)), [
    ...[
      'settings',
      'pam',
      'bus',
      'files',
      'own-name',
      'motd-list',
      'motd /a',
      'motd /b',
      'user',
      'keys',
      'rc',
      'login',
    ],
  ])
  const plan = { user: null, clients: ['10.0.0.1'], config: '/c', login: true }
  assert.deepEqual(walk(factsOf({ plan }, { ...effective, usepam: 'no' })), [
    ...['settings', 'pam', 'files', 'own-name', 'client 10.0.0.1'],
  ])
  const facts = factsOf({ plan })
  assert.deepEqual(walk({ ...facts, settings: { ...facts.settings!, refused: 'no' } }), [])
})
