/** Logins that were not recorded: other methods, other versions, other endings. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Quantity } from '@fettle/report'
import { judge } from '../src/core/judge.ts'
import { readLog } from '../src/core/log.ts'

/** Lines with the seconds that each was waited for. */
type Waited = readonly [number, string]

function learn(lines: readonly Waited[]) {
  let at = 0
  const stamped = lines.map(([wait, line]) => {
    at += wait
    return `${at.toFixed(6)} ${line}\n`
  })
  const log = readLog(stamped.join(''))
  assert.ok(log)
  return judge(log)
}

const codes = (lines: readonly Waited[]) => learn(lines).findings.map(({ code, confidence }) => [code, confidence])
const secondsOf = (lines: readonly Waited[], phase: string) => {
  const row = learn(lines).tables[0]!.rows.find(([name]) => name === phase)
  return row === undefined ? undefined : (row[1] as Quantity).value
}
const now = (...lines: readonly string[]) => lines.map((line): Waited => [0, line])

const until = (software: string) =>
  now(
    'OpenSSH_9.2p1',
    'debug3: ssh_connect_direct: entering',
    'debug1: Connecting to host.example [192.0.2.1] port 22.',
    'debug1: Connection established.',
    'debug1: Local version string SSH-2.0-OpenSSH_9.2p1',
    `debug1: Remote protocol version 2.0, remote software version ${software}`,
    'debug1: SSH2_MSG_KEXINIT sent',
    'debug1: Server host key: ssh-ed25519 SHA256:x',
    'debug3: send packet: type 21',
    'debug1: SSH2_MSG_NEWKEYS received',
    'debug3: send packet: type 5',
    'debug1: SSH2_MSG_SERVICE_ACCEPT received',
    'debug3: send packet: type 50',
  )
const IN = now('debug3: receive packet: type 52', 'debug1: channel 0: new [client-session]', 'debug1: pledge: network')
const OPEN = now('debug3: receive packet: type 80', 'debug3: receive packet: type 91')
const COMMAND = now('debug1: Sending command: true', 'debug2: exec request accepted on channel 0')
const END = now('debug3: receive packet: type 96', 'debug1: Exit status 0')
const offered = (methods: string): Waited => [0, `debug1: Authentications that can continue: ${methods}`]

test('[S3, S6] each mechanism of GSSAPI is a phase of its own, and two waits of DNS are seen in each', () => {
  const lines: Waited[] = [
    ...until('OpenSSH_9.2p1'),
    offered('publickey,gssapi-with-mic'),
    ...now('debug1: Next authentication method: gssapi-with-mic'),
    [9.98, 'debug1: No credentials were supplied, or the credentials were unavailable or inaccessible'],
    ...now('No Kerberos credentials available (default cache: FILE:/tmp/krb5cc_0)', ''),
    [10.01, 'debug1: No credentials were supplied, or the credentials were unavailable or inaccessible'],
    ...now('', 'debug2: we did not send a packet, disable method', 'debug1: Next authentication method: publickey'),
    ...IN,
  ]
  assert.deepEqual(codes(lines).slice(0, 1), [['ssh.gssapi', 'likely']])
  assert.equal(secondsOf(lines, 'GSSAPI mechanism 1'), 9.98)
  assert.equal(secondsOf(lines, 'GSSAPI mechanism 2'), 10.01)
  assert.equal(secondsOf(lines, 'GSSAPI mechanism 3'), undefined)
  const [{ says = '', remedy = [] } = {}, ...others] = learn(lines).findings
  assert.equal(says, 'The client tries GSSAPI (Kerberos) for 20 s, 2 mechanisms.')
  assert.ok(!others.some(({ code }) => code === 'ssh.gssapi'), 'both wait for the same')
  assert.ok(remedy.some((line) => line.includes('on the client, ~/.ssh/config')))
})

test('[S6] a wait of DNS is taken as it is from a server that lengthens no refusal, and in its range from others', () => {
  const because = (software: string, seconds: number) => {
    const [finding] = learn([...until(software), [seconds, 'debug3: receive packet: type 51'], ...IN]).findings
    return [finding!.confidence, finding!.cause!, finding!.remedy.join('\n')] as const
  }
  assert.match(because('OpenSSH_7.4', 10.02)[1], /^10 s are 2 waits of 5 s/)
  assert.equal(because('OpenSSH_7.4', 10.02)[0], 'likely')
  for (const seconds of [4.6, 7]) assert.equal(because('OpenSSH_7.4', seconds)[0], 'possible')
  assert.match(because('OpenSSH_9.8', 10.02)[1], /^10 s are 2 waits/)
  assert.match(because('OpenSSH_9.8', 4.6)[1], /between 2\.3 s and 4\.6 s/)
  assert.match(because('OpenSSH_8.9p1 Ubuntu', 18.6)[1], /between 9\.3 s and 18\.6 s.* 10 s and 15 s are within/)
  assert.match(
    because('OpenSSH_6.6.1', 10)[2],
    /on the server, \/etc\/ssh\/sshd_config: "UseDNS no" \(it is on by default/,
  )
  assert.match(because('OpenSSH_7.4', 10)[2], /it is off by default there/)
})

test('[S6] 25 s and 90 s at the session are those of D-Bus; 24 s are not', () => {
  const session = (seconds: number) =>
    codes([...until('OpenSSH_9.2p1'), ...IN, [seconds, 'debug3: receive packet: type 80'], ...OPEN, ...COMMAND, ...END])
  assert.deepEqual(session(25.03), [['ssh.session-dbus', 'likely']])
  assert.deepEqual(session(90.1), [['ssh.session-dbus', 'likely']])
  assert.deepEqual(session(24), [['ssh.session', 'possible']])
})

test('[S4] typing a password is no part of the login, checking it is', () => {
  const lines: Waited[] = [
    ...until('OpenSSH_9.2p1'),
    offered('password'),
    ...now('debug1: Next authentication method: password'),
    [7, 'debug3: send packet: type 50'],
    [2.01, 'debug3: receive packet: type 51'],
    ...IN,
    ...OPEN,
    ...COMMAND,
    ...END,
  ]
  assert.deepEqual(codes(lines), [
    ['ssh.typing', 'measured'],
    ['ssh.password', 'possible'],
  ])
  assert.match(learn(lines).findings[1]!.cause!, /2 s is how long PAM waits after a wrong password/)
  const [login] = learn(lines).measures
  assert.deepEqual([login?.name, login?.quantity.value], ['login', 2.01])
})

test('[S4] what somebody does in a shell is no fault, at whichever level one looks', () => {
  const shell = now('debug2: channel 0: request shell confirm 1', 'debug2: shell request accepted on channel 0')
  const detailed: Waited[] = [...until('OpenSSH_9.2p1'), ...IN, ...OPEN, ...shell, [600, 'debug2: channel 0: rcvd eof']]
  assert.deepEqual(codes(detailed), [])
  assert.equal(secondsOf(detailed, 'in use'), 600)
  assert.ok(learn(detailed).unseen.some(({ what }) => what === 'when the shell is there'))
  const brief: Waited[] = now(
    'debug1: Connecting to host.example [192.0.2.1] port 22.',
    'debug1: Authentication succeeded (publickey).',
    'debug1: channel 0: new [client-session]',
    'debug1: Entering interactive session.',
  )
  const left: Waited[] = [[600, 'debug1: client_input_channel_req: channel 0 rtype exit-status reply 0']]
  assert.deepEqual(codes([...brief, ...left]), [])
  const hostkeys = now('debug1: client_input_global_request: rtype hostkeys-00@openssh.com want_reply 0')
  assert.deepEqual(codes([...brief, ...hostkeys, ...left]), [])
  const forwards = now('debug1: Authentication succeeded (publickey).', 'debug1: Entering interactive session.')
  assert.deepEqual(codes([...forwards, ...hostkeys, [600, 'debug1: Exit status -1']]), [])
})

/** Where a login can wait, by the line that comes late: as what it is found, and on which machine it is put right. */
const PLACES: readonly (readonly [string, string, RegExp])[] = [
  ['ssh_connect_direct', 'ssh.lookup', /on the client, ~\/\.ssh\/config/],
  ['Connection established', 'ssh.address', /on the client, ~\/\.ssh\/config/],
  ['Local version', 'ssh.client', /on the client: grep .* \/etc\/ssh\/ssh_config/],
  ['Remote protocol', 'ssh.banner', /on the server, \/etc\/ssh\/sshd_config: MaxStartups/],
  ['Server host key', 'ssh.kex', /on the client: ip link set/],
  ['type 21', 'ssh.hostkey', /on the client: ssh -G/],
  ['type 5$', 'ssh.agent', /on the client: time ssh-add -l/],
  ['type 51', 'ssh.auth-start', /on the server, \/etc\/ssh\/sshd_config: "UseDNS no"/],
  ['type 60', 'ssh.keys', /on the server, \/etc\/ssh\/sshd_config: "AuthorizedKeysCommand none"/],
  ['account.*type 50', 'ssh.sign', /on the client: time ssh-add -T/],
  ['type 52', 'ssh.account', /on the server: .*\/etc\/sssd/],
  ['type 80', 'ssh.session', /on the server, \/etc\/pam.d\/sshd/],
  ['type 91', 'ssh.request', /on the server: uptime/],
  ['exec request', 'ssh.request', /on the server: uptime/],
  ['type 96', 'ssh.shell', /on the server: .*cat ~\/\.ssh\/rc/],
  ['Exit', 'ssh.close', /on the server: what ~\/\.bashrc/],
]

test('[S5] a wait in each phase is a fault of its own, put right on the machine that it is on', () => {
  const before = until('OpenSSH_9.8p1')
  const lookup: Waited = [0, 'debug3: resolve_host: lookup host.example:22']
  const auth = now(
    'debug3: receive packet: type 51',
    'debug1: Authentications that can continue: publickey',
    'debug1: Next authentication method: publickey',
    'debug1: Offering public key: /home/ops/key ED25519 SHA256:x',
    'debug3: send packet: type 50',
    'debug3: receive packet: type 60',
    'debug3: sign_and_send_pubkey: using it for the account',
    'debug3: send packet: type 50',
  )
  const quick = [before[0]!, lookup, ...before.slice(1), ...auth, ...IN, ...OPEN, ...COMMAND, ...END]
  assert.deepEqual(codes(quick), [])
  for (const [late, code, remedy] of PLACES) {
    const isSigned = late.startsWith('account')
    const pattern = new RegExp(isSigned ? 'type 50' : late)
    const index = isSigned
      ? quick.findLastIndex(([, line]) => pattern.test(line))
      : quick.findIndex(([, line]) => pattern.test(line))
    const { findings, measures } = learn(quick.with(index, [3.1, quick[index]![1]]))
    assert.deepEqual([findings.map((one) => one.code), measures.at(-1)?.quantity.value], [[code], 3.1], late)
    assert.match(findings[0]!.remedy.join('\n'), remedy, late)
    for (const line of findings[0]!.remedy) assert.match(line, /^(?:to tell|on the|in the DNS|before you)/, line)
  }
})

test('[S5, S6] a signed request that waits like the lookup before it is one with it; another wait is its own', () => {
  const keys = (lookup: number, account: number): Waited[] => [
    ...until('OpenSSH_9.2p1'),
    offered('publickey'),
    ...now('debug1: Next authentication method: publickey', 'debug1: Offering public key: /home/ops/key ED25519'),
    [lookup, 'debug3: receive packet: type 60'],
    ...now('debug3: send packet: type 50'),
    [account, 'debug3: receive packet: type 52'],
    ...[...IN, ...OPEN, ...COMMAND, ...END],
  ]
  assert.deepEqual(codes(keys(3, 4.3)), [['ssh.keys', 'likely']])
  const both = [
    ['ssh.account', 'possible'],
    ['ssh.keys', 'possible'],
  ]
  assert.deepEqual(codes(keys(1.2, 20)), both)
  assert.deepEqual(codes(keys(9, 2)), both.toReversed())
})

test('[S6] a lookup of the host key, and 6.6 without a name for its packets', () => {
  const before = until('OpenSSH_6.6.1').filter(([, line]) => !line.includes('packet'))
  const dns: Waited[] = before.flatMap((line) =>
    line[1].includes('NEWKEYS received')
      ? [
          [0, 'debug3: verify_host_key_dns'],
          [10, 'DNS lookup error: general failure'],
          [0, 'debug1: SSH2_MSG_NEWKEYS sent'],
          line,
        ]
      : [line],
  )
  assert.deepEqual(codes([...dns, ...IN.slice(1)]), [
    ['ssh.hostkey-dns', 'likely'],
    ['ssh.ends', 'possible'],
  ])
  const old: Waited[] = [
    ...before,
    offered('publickey'),
    ...now('debug1: Next authentication method: publickey', 'debug1: Offering RSA public key: /home/ops/.ssh/id_rsa'),
    ...now('debug2: we sent a publickey packet, wait for reply', 'debug1: Server accepts key: pkalg ssh-rsa blen 279'),
    ...now('debug3: sign_and_send_pubkey: RSA 66:cc'),
    [3, 'debug1: Authentication succeeded (publickey).'],
    ...now('debug1: channel 0: new [client-session]', 'debug1: Entering interactive session.'),
    [25.03, 'debug2: callback start'],
    ...COMMAND,
    ...END,
  ]
  assert.deepEqual(codes(old), [
    ['ssh.session-dbus', 'likely'],
    ['ssh.account', 'possible'],
  ])
})

test('[S4] answering whether to trust a host, and typing a passphrase, is no part of the login', () => {
  const lines: Waited[] = until('OpenSSH_9.2p1').flatMap((line): Waited[] =>
    line[1].includes('type 21')
      ? [...now("The authenticity of host 'host.example' can't be established."), [9, line[1]]]
      : [line],
  )
  const auth: Waited[] = [
    offered('publickey'),
    ...now('debug1: Next authentication method: publickey', "Enter passphrase for key '/home/ops/key': "),
    [8, 'debug3: send packet: type 50'],
    [3, 'debug3: receive packet: type 52'],
  ]
  assert.deepEqual(codes([...lines, ...auth, ...IN, ...OPEN, ...COMMAND, ...END]), [
    ['ssh.typing', 'measured'],
    ['ssh.account', 'possible'],
  ])
})

test('[S5] a long way makes no single wait, and a login over an older connection is none', () => {
  const far = [...until('OpenSSH_9.2p1'), offered('publickey'), ...IN, ...OPEN, ...COMMAND, ...END]
  for (const each of [0.2, 0.45]) {
    assert.deepEqual(codes(far.map(([, line]): Waited => [each, line])), [['ssh.spread', 'likely']])
  }
  const shared = learn(now('OpenSSH_9.2p1', 'debug2: mux_client_hello_exchange: master version 4'))
  assert.deepEqual([shared.findings, shared.unseen.some(({ what }) => what === 'a login')], [[], true])
})

test('[S3] what a command writes is no part of this login, though it were an ssh itself', () => {
  const inner = now('debug1: Connecting to other [192.0.2.7] port 22.', 'debug1: Next authentication method: password')
  const lines: Waited[] = [...until('OpenSSH_9.2p1'), ...IN, ...OPEN, ...COMMAND, ...inner, [3, 'out'], ...END]
  assert.equal(secondsOf(lines, 'connect 192.0.2.7'), undefined)
  assert.deepEqual(codes(lines), [['ssh.shell', 'possible']])
})

test('[S5] of another server it is said that its files are not those of OpenSSH', () => {
  const { unseen } = learn(until('dropbear_2022.83'))
  assert.ok(unseen.some(({ why }) => why.startsWith('it is dropbear_2022.83')))
})

test('[S10] commands, proxy commands and output are not shown', () => {
  const lines: Waited[] = [
    ...now('OpenSSH_9.2p1'),
    [3, 'debug1: Setting implicit ProxyCommand from ProxyJump: ssh -l SECRET -W %h:%p jump'],
    [3, 'debug1: Executing proxy command: exec nc --proxy-auth me:SECRET host 22'],
    [3, 'debug1: Local version string SSH-2.0-OpenSSH_9.2p1'],
    [3, 'debug1: Remote protocol version 2.0, remote software version OpenSSH_9.2p1'],
    ...IN,
    ...OPEN,
    ...now(
      'debug1: Sending environment.',
      'debug1: channel 0: setting env TOKEN = "SECRET"',
      'debug3: Sending env A = SECRET',
    ),
    [2, 'debug1: Sending command: mysql -pSECRET'],
    [2, 'debug2: exec request accepted on channel 0'],
    [2, 'SECRET'],
    [2, 'debug2: channel 0: rcvd eof'],
  ]
  const text = JSON.stringify(learn(lines))
  assert.ok(text.includes('Executing proxy command: (not shown)'))
  assert.ok(!text.includes('SECRET'), text)
})

test('[S11] a log of sshd is recognised, and its own phases are shown', () => {
  const lines: Waited[] = [
    ...now('debug1: sshd version OpenSSH_9.2, OpenSSL 3.0', 'debug1: Server listening on 0.0.0.0 port 2222.'),
    [30, 'Connection from 192.0.2.9 port 4711 on 192.0.2.1 port 2222 rdomain ""'],
    ...now('debug1: Remote protocol version 2.0, remote software version OpenSSH_9.2p1', 'debug1: KEX done [preauth]'),
    ...now('debug1: userauth-request for user root service ssh-connection method none [preauth]'),
    [10.02, 'debug1: PAM: initializing for "root"'],
    ...now('debug1: do_pam_account: called', 'Accepted publickey for root from 192.0.2.9 port 4711 ssh2'),
    ...now('debug1: PAM: establishing credentials'),
    [25.03, 'debug1: Entering interactive session for SSH2.'],
    ...now('debug1: server_input_channel_req: channel 0 request exec reply 1', 'debug2: channel 0: rcvd eof'),
    [60, 'debug1: Received SIGCHLD.'],
  ]
  const { findings, unseen } = learn(lines)
  assert.deepEqual(
    findings.map(({ code }) => code),
    ['ssh.session-dbus', 'ssh.auth-start'],
  )
  assert.match(findings[1]!.cause!, /^10 s are 2 waits/)
  assert.match(unseen[0]!.why, /^this is a log of sshd/)
})

test('[S11] a log of sshd: the key is looked up when it is offered, and again when it has signed', () => {
  const lines: Waited[] = [
    ...now('debug1: sshd version OpenSSH_9.2, OpenSSL 3.0', 'Connection from 192.0.2.9 port 4711 on 192.0.2.1 port 22'),
    ...now('debug1: userauth-request for user root service ssh-connection method publickey [preauth]'),
    [3, 'Postponed publickey for root from 192.0.2.9 port 4711 ssh2 [preauth]'],
    [2, 'debug1: userauth-request for user root service ssh-connection method publickey-hostbound-v00@openssh.com'],
    [4.1, 'Accepted publickey for root from 192.0.2.9 port 4711 ssh2'],
  ]
  const [finding, ...more] = learn(lines).findings
  assert.deepEqual([finding?.code, finding?.quantities.wait?.value, more], ['ssh.keys', 7.1, []])
  assert.match(finding!.says, /takes 3 s .*, and 4\.1 s when it was signed with/)
  assert.equal(secondsOf(lines, 'the server waits for the client'), 2)
})

test('[S12] of two logins the first is read; of two that write at once nobody knows which waits', () => {
  const one: Waited[] = [...until('OpenSSH_9.2p1'), ...IN, ...OPEN, ...COMMAND, ...END]
  const two = learn([...one, [60, 'OpenSSH_9.2p1'], ...one.slice(1)])
  assert.deepEqual(two.findings, [])
  assert.ok(two.unseen.some(({ why }) => why === 'another login begins there; paste it by itself'))
  const mixed = learn([...now('OpenSSH_9.2p1', 'debug1: Executing proxy command: exec ssh -vvv -W'), ...one])
  assert.ok(mixed.unseen.some(({ what }) => what === 'which of two logins waits'))
})

test('[S5] a signed request that waits up to three times as long is the same lookup, where answers are lengthened', () => {
  const lines = (software: string, again: number): Waited[] => [
    ...until(software),
    offered('publickey'),
    ...now('debug1: Next authentication method: publickey', 'debug1: Offering public key: /k ED25519'),
    ...now('debug3: send packet: type 50', 'debug2: we sent a publickey packet, wait for reply'),
    [1.5, 'debug3: receive packet: type 60'],
    ...now('debug3: sign_and_send_pubkey: signing', 'debug3: send packet: type 50'),
    [again, 'debug3: receive packet: type 52'],
    ...IN,
  ]
  const told = (software: string, again: number) =>
    learn(lines(software, again)).findings.flatMap(({ code, severity, quantities }) =>
      severity === 'fault' ? [[code, quantities.wait!.value]] : [],
    )
  assert.deepEqual(told('OpenSSH_9.2p1', 4.24), [['ssh.keys', 5.74]])
  assert.deepEqual(told('OpenSSH_9.9p1', 2.5), [['ssh.keys', 4]])
  assert.deepEqual(told('OpenSSH_7.4', 4.24), [
    ['ssh.account', 4.24],
    ['ssh.keys', 1.5],
  ])
})

test('[S5] where each way there and back is long, no phase of its own is what waits', () => {
  const trip = 0.6
  const lines = (more: number): Waited[] => [
    ...now('OpenSSH_9.2p1', 'debug1: Connecting to h [192.0.2.1] port 22.'),
    [trip, 'debug1: Connection established.'],
    ...now('debug1: Local version string SSH-2.0-OpenSSH_9.2p1'),
    [trip, 'debug1: Remote protocol version 2.0, remote software version OpenSSH_9.2p1'],
    ...now('debug3: send packet: type 20', 'debug1: SSH2_MSG_KEXINIT sent'),
    [trip, 'debug3: receive packet: type 20'],
    ...now('debug3: send packet: type 30'),
    [trip + 0.1, 'debug3: receive packet: type 31'],
    ...now('debug1: SSH2_MSG_NEWKEYS received', 'debug3: send packet: type 5'),
    [trip, 'debug1: SSH2_MSG_SERVICE_ACCEPT received'],
    ...now('debug3: send packet: type 50'),
    [trip + more, 'debug3: receive packet: type 51'],
    ...now(
      'debug1: Next authentication method: publickey',
      'debug3: sign_and_send_pubkey',
      'debug3: send packet: type 50',
    ),
    [trip, 'debug3: receive packet: type 52'],
    ...IN,
  ]
  assert.deepEqual(codes(lines(0.02))[0], ['ssh.spread', 'likely'])
  assert.deepEqual(codes(lines(1))[0], ['ssh.auth-start', 'possible'])
})
