/** What is to be changed at a server, and how a file holds it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { linesIn, linesOf, pairsOf, withLines } from '../src/core/server/block.ts'
import { faultOf, isSameValue, settingName } from '../src/core/server/changeable.ts'
import { otherSources, readConfig } from '../src/core/server/config.ts'
import { type Facts, nothingYet, type SettingsSeen } from '../src/core/server/facts.ts'
import { keytabIn } from '../src/core/server/keytab.ts'
import { isOnlyX, planOf } from '../src/core/server/plan.ts'
import { sshChange } from '../src/server/change.ts'
import { methodsIn, worse } from '../src/server/tried.ts'

test('[S30] lines between two marks: out again, every other byte is as it was', () => {
  const bytes = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)) })
  const lines = fc.constantFrom('', 'UseDNS no', 'MaxStartups 30:30:200; UseDNS no')
  fc.assert(
    fc.property(bytes, lines, lines, (text, first, second) => {
      const with1 = withLines(text, first)
      assert.equal(linesIn(with1), first)
      assert.equal(linesIn(withLines(with1, second)), second)
      assert.equal(withLines(withLines(with1, second), ''), text)
    }),
  )
})

test('[S30] what was set before stays, unless it is set anew', () => {
  const pairs = [...pairsOf('MaxStartups 30:30:200; UseDNS yes'), ['UseDNS', 'no'] as const]
  assert.equal(linesOf(pairs), 'MaxStartups 30:30:200; UseDNS no')
  assert.deepEqual(pairsOf(''), [])
})

test('[S29, S32] only what changes how a login goes, and not who may, can be set from here', () => {
  for (const [name, value] of [
    ['PermitRootLogin', 'yes'],
    ['UseDNS', 'no\nPermitRootLogin yes'],
    ['UseDNS', 'maybe'],
    ['MaxStartups', '1:30:60'],
    ['MaxStartups', '30:30:20'],
    ['LoginGraceTime', '1'],
    ['UsePAM', 'no'],
  ] as const) {
    assert.ok(faultOf(name, value), `${name} ${value}`)
  }
  for (const [name, value] of [
    ['usedns', 'no'],
    ['MaxStartups', '30:30:200'],
    ['LoginGraceTime', '60'],
  ] as const) {
    assert.equal(faultOf(name, value), undefined)
  }
  assert.equal(settingName('gssapiauthentication'), 'GSSAPIAuthentication')
})

test('[S31] sshd shows some values in other words than they are set', () => {
  assert.ok(isSameValue('Compression', 'yes', 'delayed'))
  assert.ok(!isSameValue('Compression', 'no', 'delayed'))
  assert.ok(isSameValue('LoginGraceTime', '60', '060'))
  assert.ok(isSameValue('MaxStartups', '30:30:200', '030:30:0200'))
  assert.ok(isSameValue('MaxStartups', '10:30:10', '10'))
  assert.ok(isSameValue('ClientAliveInterval', '0', '0'))
  assert.ok(!isSameValue('LoginGraceTime', '60', '600'))
  assert.ok(!isSameValue('UseDNS', 'no', 'yes'))
})

test('[S31] what sshd offers, and that it takes none from here for a while', () => {
  assert.deepEqual(methodsIn('debug1: x\ndebug1: Authentications that can continue: publickey,password\n'), [
    ...['publickey', 'password'],
  ])
  assert.equal(methodsIn('kex_exchange_identification: banner line 0: Not allowed at this time\n'), 'penalty')
  assert.equal(methodsIn('ssh: connect to host 127.0.0.1 port 22: Connection refused\n'), null)
})

test('[S32] of a script nothing but whether it runs is changed, whatever a journal says', () => {
  assert.ok(isOnlyX('0644', '0755') && isOnlyX('0755', '0644') && isOnlyX('0644', '0744'))
  for (const mode of ['4755', '0777', '0775', '0757', '2755', '0600']) assert.ok(!isOnlyX('0644', mode), mode)
})

const config = (text: string) => readConfig('/c', { text: () => text, files: () => [] })

function factsOf(effective: Readonly<Record<string, string>>, hasKeytab = false): Facts {
  const settings: SettingsSeen = {
    config: config(''),
    effective: new Map(Object.entries(effective).map(([name, value]) => [name, [value]])),
    refused: null,
    startups: null,
    clients: [],
    load: { wanting: 1, cpus: 2 },
    wrappers: [],
    hasKeytab,
  }
  const script = { seconds: 2, isCut: false, status: 0, linksTo: null }
  const motd = [
    { ...script, file: '/m/slow' },
    { ...script, file: '/m/link' },
    { ...script, file: '/m/quick', seconds: 0.9 },
  ]
  return { ...nothingYet({ user: null, clients: [], config: '/c', login: false }), settings, motd }
}

const known = {
  config: config('UseDNS yes'),
  place: { file: '/d/00-fettle.conf', was: null },
  modes: [
    { file: '/m/slow', mode: '0755' },
    { file: '/m/link', mode: null },
    { file: '/m/quick', mode: '0755' },
  ],
  namedKeys: [],
  unreadKeys: [],
}

test('[S29] what is advisable, and does no harm', () => {
  const facts = factsOf({ usedns: 'yes', gssapiauthentication: 'yes' })
  const { items, findings } = planOf({ set: [] }, { ...known, facts })
  assert.deepEqual(
    items.map(({ what, was, becomes }) => [what, was, becomes]),
    [
      ['/d/00-fettle.conf', null, 'GSSAPIAuthentication no; UseDNS no'],
      ['/m/slow', '0755', '0644'],
    ],
  )
  assert.deepEqual(
    findings.map(({ code, subject }) => [code, subject]),
    [['ssh.motd-link', '/m/link']],
  )
})

test('[S29] Kerberos that is used, names that decide, and what is so already, are left alone', () => {
  const facts = { ...factsOf({ usedns: 'yes', gssapiauthentication: 'yes' }, true), motd: [] }
  const { items, findings } = planOf({ set: [] }, { ...known, facts, namedKeys: ['/home/ops/.ssh/authorized_keys'] })
  assert.deepEqual([items, findings.map(({ code }) => code)], [[], ['ssh.names-are-used']])
  const unread = planOf({ set: [] }, { ...known, facts, unreadKeys: ['AuthorizedKeysCommand'] })
  assert.deepEqual([unread.items, unread.findings.map(({ code }) => code)], [[], ['ssh.names-are-used']])
  assert.deepEqual(otherSources('# passwd: nis\npasswd: files [!UNAVAIL=return] systemd sss # ldap\n'), ['sss'])
  const asked = planOf({ set: [['UseDNS', 'no']] }, { ...known, facts, namedKeys: ['/home/ops/.ssh/authorized_keys'] })
  assert.deepEqual([asked.items.length, asked.findings.map(({ severity }) => severity)], [1, ['warning']])
  const same = planOf({ set: [['UseDNS', 'yes']] }, { ...known, facts })
  assert.deepEqual(same, { items: [], findings: [] })
})

test('[S29] Kerberos stays where it is the only way in beside passwords, and its keys may be elsewhere', () => {
  const only = { ...factsOf({ gssapiauthentication: 'yes', pubkeyauthentication: 'no' }), motd: [] }
  assert.deepEqual(planOf({ set: [] }, { ...known, facts: only }).items, [])
  assert.equal(keytabIn('[libdefaults]\n default_realm = X\n# default_keytab_name = /y\n'), '/etc/krb5.keytab')
  assert.equal(keytabIn('[libdefaults]\n default_keytab_name = FILE:/var/k.keytab\n'), '/var/k.keytab')
  assert.equal(keytabIn('default_keytab_name=DIR:/var/k\n'), null)
})

test('[S31] what is worse than before: no login, no answer, a method that is gone; GSSAPI may be', () => {
  const before = { methods: ['publickey', 'gssapi-with-mic', 'password'], refused: null }
  assert.equal(worse(before, { methods: ['publickey', 'password'], refused: null }), null)
  assert.match(worse(before, { methods: ['publickey'], refused: null })!, /^password is not offered/)
  assert.match(worse(before, { methods: null, refused: null })!, /does not answer/)
  assert.match(worse(before, { methods: before.methods, refused: 'so' })!, /any more: so$/)
  // What did not work before is no reason to leave it so.
  assert.equal(worse({ methods: null, refused: 'so' }, { methods: null, refused: 'so' }), null)
})

test('[S29] what was typed is read whole, and every fault of it is told', () => {
  const read = (flags: Readonly<Record<string, string | true | readonly string[]>>, ...words: string[]) =>
    sshChange.read({ arguments: words, flags })
  const wrong = read({ set: ['PermitRootLogin=yes', 'usedns=no', 'UseDNS=yes'], undo: true, client: ['host'] }, 'etc/x')
  assert.equal(wrong.ok, false)
  assert.equal(!wrong.ok && wrong.faults.length, 5)
  const right = read({ set: ['usedns=no'], apply: true })
  assert.ok(right.ok)
  assert.deepEqual([right.value.config, right.value.wishes], ['/etc/ssh/sshd_config', { set: [['UseDNS', 'no']] }])
})
