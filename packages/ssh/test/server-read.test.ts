/** What a server's files and programs say, as sshd and PAM read them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readResolvers, reverseName } from '../src/core/names.ts'
import {
  type ConfigFiles,
  hasNamedFrom,
  namedAccess,
  nameRules,
  placeOf,
  readConfig,
  readEffective,
  whereSet,
  whichSets,
} from '../src/core/server/config.ts'
import { keysCommand } from '../src/core/server/keys.ts'
import { localPeers } from '../src/core/server/local-peers.ts'
import { execPath, motdLine, readPam } from '../src/core/server/pam.ts'
import { refusalIn } from '../src/core/server/refusal.ts'
import { clientsOf, isFromRoot, readSockets } from '../src/core/server/sockets.ts'
import { wrapperRules } from '../src/core/server/wrapper.ts'
import { PS4, readTrace } from '../src/core/trace.ts'

const files = (texts: Readonly<Record<string, string>>): ConfigFiles => ({
  text: (file) => texts[file],
  files: (pattern) => {
    const inside = new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '[^/]*')}$`)
    return Object.keys(texts).filter((file) => inside.test(file))
  },
})
const MAIN = '/etc/ssh/sshd_config'

test('[S20] the first value counts, in the order in which files are included, whatever a Match says', () => {
  const config = readConfig(
    MAIN,
    files({
      [MAIN]: [
        'Match User sftp',
        '  Include late/*.conf',
        '  UseDNS no',
        'Match all',
        'include "sshd_config.d/*.conf"',
        'usedns=yes # later',
        'MaxStartups\t5:30:10',
      ].join('\n'),
      '/etc/ssh/late/x.conf': 'MaxStartups 1\nMatch all\nPrintMotd yes',
      '/etc/ssh/sshd_config.d/1.conf': 'Match Host *.lab.test\nGSSAPIAuthentication yes\n',
      '/etc/ssh/sshd_config.d/2.conf': '\n# UseDNS yes\nUseDNS "no"\n',
    }),
  )
  assert.equal(whereSet(config, 'UseDNS'), '/etc/ssh/sshd_config.d/2.conf:3')
  assert.deepEqual(whichSets(config, 'usedns')?.values, ['no'])
  // A Match ends with the file that it stands in, and holds for what is included in it.
  assert.equal(whereSet(config, 'MaxStartups'), `${MAIN}:7`)
  assert.equal(whereSet(config, 'GSSAPIAuthentication'), undefined)
  assert.equal(whereSet(config, 'PrintMotd'), undefined)
  const matches = config.lines.map(({ name, match }) => [name, match])
  assert.deepEqual(matches.slice(0, 4), [
    ['maxstartups', 'User sftp'],
    ['printmotd', 'User sftp'],
    ['usedns', 'User sftp'],
    ['gssapiauthentication', 'Host *.lab.test'],
  ])
})

test('[S20] a file that includes itself comes to an end', () => {
  const config = readConfig(MAIN, files({ [MAIN]: `UseDNS no\nInclude ${MAIN}\n` }))
  assert.equal(whereSet(config, 'UseDNS'), `${MAIN}:1`)
  assert.ok(config.lines.length < 20)
})

test('[S20, S28] a file that does nothing but include itself comes to an end as well', () => {
  const text = 'Include *\n'.repeat(4)
  assert.ok(readConfig(MAIN, { text: () => text, files: () => [MAIN] }).includes.length <= 20_000)
})

test('[S20] what sshd -T prints', () => {
  const effective = readEffective('port 22\nacceptenv LANG\nacceptenv LC_*\nusedns no\r\nSomething: else\n')
  assert.deepEqual(effective.get('acceptenv'), ['LANG', 'LC_*'])
  assert.deepEqual(effective.get('usedns'), ['no'])
  assert.equal(effective.size, 3)
})

test('[S29] rules that need names: of users, of keys, of Match; addresses are none', () => {
  const config = readConfig(
    MAIN,
    files({
      [MAIN]: [
        'AllowUsers ops@10.0.0.* root@fe80::1 deploy',
        'DenyUsers mallory@*.bad.test',
        'HostbasedAuthentication no',
        'Match Address 10.0.0.0/8',
        'UseDNS no',
        'Match User x Host web*.lab.test',
        'X11Forwarding no',
        'Match host=*.corp',
        'X11Forwarding no',
        'Match all',
        'AllowUsers ops@db1',
      ].join('\n'),
    }),
  )
  assert.deepEqual(nameRules(config).map(placeOf), [`${MAIN}:2`, `${MAIN}:7`, `${MAIN}:9`, `${MAIN}:11`])
  assert.equal(hasNamedFrom('from="10.0.0.0/8,fe80::*,!10.1.1.1" ssh-ed25519 AAAA x.test'), false)
  assert.equal(hasNamedFrom('# from="x.test"\nssh-ed25519 AAAA\nno-pty,from="10.1.1.1,*.lab.test" ssh-rsa AAAA'), true)
  assert.equal(hasNamedFrom('no-pty,command="a #b",from="cafe" ssh-rsa AAAA'), true)
  assert.equal(hasNamedFrom('from="db1" ssh-rsa AAAA'), true)
})

test('[S29] lines of access.conf that go by names of hosts', () => {
  const text =
    '# + : ops : .lab.test\n+ : ops : .lab.test\n-:ALL EXCEPT root:tty1 LOCAL 10.0.0.0/8\n+:x: a web1.lab.test\n'
  // LOCAL is a name without a dot.
  assert.deepEqual(namedAccess(text), [2, 3, 4])
  assert.deepEqual(namedAccess('+:x: db1\n+:x:ALL\n-:ALL EXCEPT root:tty1 cron :0\n+:x:10.0.0. fe80::/10\n'), [1])
})

test('[S21] the stack of PAM in the order in which it is gone through, with files and lines', () => {
  const texts: Readonly<Record<string, string>> = {
    sshd: [
      '# ours',
      'auth include common',
      '@include common-session  # all of it',
      'account [success=1 default=ignore] \\',
      '  pam_access.so accessfile=/etc/a.conf',
      '-session optional /lib/security/pam_exec.so quiet [type=open session] /etc/script',
      'session substack common',
    ].join('\n'),
    'common-session': 'session required pam_unix.so\nsession optional pam_motd.so noupdate\n',
    common: 'auth required pam_unix.so\nsession optional pam_motd.so motd=/run/motd',
    other: 'password required pam_deny.so\nauth required pam_deny.so',
  }
  const stack = readPam('sshd', (name) =>
    texts[name] === undefined ? undefined : { file: `/etc/pam.d/${name}`, text: texts[name] },
  )
  assert.deepEqual(
    stack.map(({ type, module, file, line }) => `${type} ${module} ${file}:${line}`),
    [
      'auth pam_unix /etc/pam.d/common:1',
      'session pam_unix /etc/pam.d/common-session:1',
      'session pam_motd /etc/pam.d/common-session:2',
      'account pam_access /etc/pam.d/sshd:4',
      'session pam_exec /etc/pam.d/sshd:6',
      'session pam_motd /etc/pam.d/common:2',
      'password pam_deny /etc/pam.d/other:1',
    ],
  )
  assert.equal(stack[3]!.control, '[success=1 default=ignore]')
  assert.deepEqual(stack[4]!.args, ['quiet', 'type=open session', '/etc/script'])
  assert.equal(execPath(stack[4]!), '/etc/script')
  assert.equal(motdLine(stack)?.file, '/etc/pam.d/common')
})

test('[S21] files of PAM that include each other come to an end', () => {
  const stack = readPam('sshd', (name) => ({ file: name, text: '@include other\nsession required pam_unix.so\n' }))
  assert.ok(stack.length > 0 && stack.length <= 2000)
})

test('[S23] sockets as the kernel writes them: who is connected to sshd from elsewhere', () => {
  const text = [
    '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
    '   0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 100 1 0 100 0 0 10 0',
    '   1: 02004D0A:0016 01004D0A:A2C4 01 00000000:00000000 02:00000000 00000000     0        0 101 1 0 20 4 30 10 -1',
    '   2: 0100007F:0016 0100007F:A2C4 01 00000000:00000000 02:00000000 00000000     0        0 102 1 0 20 4 30 10 -1',
    '   3: 02004D0A:0050 03004D0A:A2C4 01 00000000:00000000 02:00000000 00000000     0        0 103 1 0 20 4 30 10 -1',
  ].join('\n')
  const six =
    '0: 0000000000000000FFFF000002004D0A:0016 B80D0120000077000000000001000000:1000 01 0:0 0:0 0 0 0 104 1\n' +
    '1: 0000000000000000FFFF000002004D0A:0016 0000000000000000FFFF000009004D0A:1000 01 0:0 0:0 0 0 0 105 1'
  const sockets = [...readSockets(text, 'tcp'), ...readSockets(six, 'tcp')]
  assert.deepEqual(sockets[0], {
    protocol: 'tcp',
    local: { address: '0.0.0.0', port: 22 },
    remote: { address: '0.0.0.0', port: 0 },
    isListening: true,
    isConnected: false,
    inode: '100',
    uid: 0,
  })
  assert.deepEqual(clientsOf(sockets, new Set([22])), ['10.77.0.1', '2001:db8:77::1', '10.77.0.9'])
})

test('[S23] resolv.conf, and names of addresses in the DNS', () => {
  const text = '# nameserver 9.9.9.9\nnameserver 10.0.0.1\nnameserver ::1\noptions rotate timeout:1 attempts:3\n'
  assert.deepEqual(readResolvers(text).servers, ['10.0.0.1', '::1'])
  assert.deepEqual(readResolvers('').servers, ['127.0.0.1'])
  assert.equal(reverseName('10.77.0.1'), '1.0.77.10.in-addr.arpa')
  assert.equal(
    reverseName('2001:db8:77::1'),
    '1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.7.7.0.0.8.b.d.0.1.0.0.2.ip6.arpa',
  )
  assert.match(reverseName('::'), /^(?:0\.){32}ip6\.arpa$/)
})

test('[S23] rules of TCP wrappers that need a name', () => {
  const text = [
    '# sshd: .lab.test',
    'ALL: 10.0.0.0/255.0.0.0 [fe80::]/10 LOCAL',
    'sshd, in.ftpd: \\',
    '  .lab.test',
    'in.ftpd: .lab.test',
    'sshd: 10.0.0.1 : spawn /bin/mail root',
    'ALL: PARANOID',
  ].join('\n')
  assert.deepEqual(wrapperRules('/etc/hosts.allow', text).map(placeOf), ['/etc/hosts.allow:4', '/etc/hosts.allow:7'])
})

test('[S24] what sshd puts into the AuthorizedKeysCommand', () => {
  const tokens = { user: 'ops', uid: 7, home: '/home/ops', type: 'ssh-ed25519', key: 'AAAA', fingerprint: 'SHA256:x' }
  assert.deepEqual(keysCommand('/bin/keys', tokens), ['/bin/keys', 'ops'])
  assert.deepEqual(keysCommand('/bin/keys "a b" %u-%U %h/%t %k %f %% c\\ d \'e f\'', tokens), [
    ...['/bin/keys', 'a b', 'ops-7', '/home/ops/ssh-ed25519', 'AAAA', 'SHA256:x', '%', 'c d', 'e f'],
  ])
  assert.deepEqual(keysCommand('/bin/keys %Z', tokens), { problem: 'nobody knows what %Z stands for' })
})

const mark = (at: string, file: string, line: number) =>
  PS4.replace('${EPOCHREALTIME-}', at).replace('${BASH_SOURCE-}', file).replace('${LINENO-}', `${line}`)

test('[S25] a line takes until the next is told, whatever it prints, and the last until the end', () => {
  const pieces = [
    { at: 99, text: `${mark('100.0', '/own', 1)}. /a\n+${mark('100.5', '/a b', 3)}echo '\nhidden +\n` },
    { at: 99, text: `${mark('100,75', '/a b', 4).slice(0, 9)}` },
    { at: 99, text: `${mark('100,75', '/a b', 4).slice(9)}sleep 2\n+++${mark('102.75', '/a b', 3)}true\n` },
  ]
  assert.deepEqual(readTrace(pieces, 103, new Set(['/own'])), [
    { file: '/a b', line: 4, seconds: 2, times: 1 },
    { file: '/a b', line: 3, seconds: 0.5, times: 2 },
  ])
})

test('[S25] a bash that does not tell the time: when it came', () => {
  const pieces = [
    { at: 10, text: `${mark('', '/a', 1)}x\n` },
    { at: 13, text: `${mark('', '/a', 2)}y\n` },
  ]
  assert.deepEqual(readTrace(pieces, 14, new Set())[0], { file: '/a', line: 1, seconds: 3, times: 1 })
})

test('[S26] who is at the other end of a local socket, as ss tells', () => {
  const text = [
    'Netid State Recv-Q Send-Q Local Address:Port Peer Address:Port Process',
    'u_str ESTAB 0 0 * 8122 * 8123',
    'u_str ESTAB 0 0 /run/dbus/system_bus_socket 8123 * 8122',
    'u_str LISTEN 0 4096 /run/dbus/system_bus_socket 77 * 0',
    'u_str ESTAB 0 0 * 9001 * 9002',
  ].join('\n')
  assert.deepEqual(Array.from(localPeers(text)), [['8122', '/run/dbus/system_bus_socket']])
})

test('[S26] why a login was refused, in the words of sshd or of ssh', () => {
  const log = '0.1 ERR debug1: something failed\n0.2 ERR User ops from 127.0.0.1 not allowed because x [preauth]\n'
  assert.equal(refusalIn(log, 'Permission denied\n'), 'User ops from 127.0.0.1 not allowed because x')
  assert.equal(
    refusalIn('', "Warning: Permanently added 'x'\nops@127.0.0.1: Permission denied.\n\n"),
    'ops@127.0.0.1: Permission denied.',
  )
  assert.equal(refusalIn('', ''), 'ssh says nothing of why')
})

test('[S28] whatever stands in a file, it is read to an end', () => {
  const line = fc.oneof(
    fc.string({ maxLength: 40 }),
    fc.constantFrom(
      'Match all',
      'Include *',
      'UseDNS yes\\',
      '@include a',
      'session include sshd',
      'ALL: \\',
      '[',
      '"',
    ),
  )
  fc.assert(
    fc.property(fc.array(line, { maxLength: 30 }), (lines) => {
      const text = lines.join('\n')
      readConfig(MAIN, { text: () => text, files: () => [MAIN] })
      readPam('sshd', () => ({ file: 'x', text }))
      readSockets(text, 'udp')
      readResolvers(text, text)
      wrapperRules('x', text)
      localPeers(text)
      readTrace([{ at: 1, text }], 2, new Set())
      refusalIn(text, text)
      keysCommand(text, { user: '', uid: 0, home: '', type: '', key: '', fingerprint: '' })
      hasNamedFrom(text)
    }),
  )
})

test('[S26] whose connection it is: of root, and open', () => {
  const line = (local: string, state: string, uid: number, inode: number) =>
    `   0: 0100007F:${local} 0100007F:1F90 ${state} 00000000:00000000 00:00000000 00000000 ${uid} 0 ${inode} 1 0 20 4`
  const from = (port: number, ...lines: string[]) =>
    isFromRoot(readSockets(lines.join('\n'), 'tcp'), { address: '127.0.0.1', port }, 8080)
  assert.equal(from(4096, line('1000', '01', 0, 77)), true)
  assert.equal(from(4097, line('1000', '01', 0, 77)), false)
  assert.equal(from(4096, line('1000', '01', 1000, 77)), false)
  // What is closed by its owner is shown as of root.
  assert.equal(from(4096, line('1000', '05', 0, 0)), false)
  assert.equal(from(4096, line('1000', '01', 0, 0)), false)
})
