/** What `fettle ssh check --server` says of a real sshd: the file, the line or the daemon that was made slow. */
import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdirSync, readdirSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { Report } from '@fettle/report'
import { until } from '../harness.ts'
import { busWithoutLogind, listenAt, silentBus } from './between.ts'
import { reverseName } from './dns.ts'
import { ADDRESSES, Lab } from './lab.ts'
import { assertOnly, measure, serverCheck, works } from './serving.ts'

/** Most of the time is waiting. */
const AT_ONCE = 3
const CONFIG = '/etc/ssh/sshd_config.d/lab.conf'
const NAMES = [reverseName(ADDRESSES.client), reverseName(ADDRESSES.client6)]
const DIRECTORY = '/run/systemd/userdb/io.lab.Slow'
const QUICKER = `nameserver ${ADDRESSES.resolver}\noptions timeout:1 attempts:2\n`

describe('what makes a login slow, told on the server', { concurrency: AT_ONCE }, () => {
  test('[S20, S26] a quick login: nothing is to be done, and nothing is left', async (t) => {
    const lab = await Lab.open(t, ({ server }) => server.write('/run/short/empty', ''))
    const words = ['--user', 'ops', '--client', ADDRESSES.client, '--json']
    const ran = await lab.serverFettle(['ssh', 'check', '--server', ...words], { env: { TMPDIR: '/run/short' } })
    const report = JSON.parse(ran.output) as Report
    assert.deepEqual(works(report), [])
    assert.equal(ran.status, 0)
    assert.ok(measure(report, 'login') < 3, `${measure(report, 'login')} s`)
    assert.equal(measure(report, 'names'), 0)
    const left = readdirSync(lab.server.outside('/run/short')).filter((name) => name.startsWith('fettle'))
    assert.deepEqual(left, [])
    assert.equal((await lab.login()).status, 0)
  })

  test('[S26] who comes first to the port of the own login, and is not root, is sent away', async (t) => {
    const lab = await Lab.open(t)
    const { server } = lab
    // Ours comes late.
    server.script('/etc/own/ssh', 'sleep 1.5', 'exec /usr/bin/ssh "$@"')
    const isOpen = '[[ $state = 0A && $at = 0100007F:* ]]'
    const come = 'exec 5<>/dev/tcp/127.0.0.1/$((16#${at#*:})) && echo came && cat <&5'
    const look = `while read -r _ at _ state _; do ${isOpen} && ${come}; done < /proc/net/tcp`
    const stranger = server.start(['bash', '-c', `while :; do ${look}; sleep 0.1; done`], { user: 'ops' })
    const words = ['ssh', 'check', '--server', '--user', 'ops', '--client', ADDRESSES.client, '--json']
    const env = { PATH: '/etc/own:/usr/sbin:/usr/bin:/bin' }
    const { output, complaints } = await lab.serverFettle(words, { env })
    assert.match(stranger.output, /came/)
    const report = JSON.parse(output) as Report
    assert.ok(measure(report, 'login') < 5, output + complaints)
    assert.doesNotMatch(output, /not in after|refused/)
  })

  for (const [what, rule, least] of [
    ['dropped', { answer: 'drop' }, 2],
    ['late', { delayMs: 800 }, 0.8],
  ] as const) {
    test(`[S20, S23] UseDNS, and the name of the client ${what}: the line that sets it`, async (t) => {
      const lab = await Lab.open(t)
      await lab.sshd('# by us\nUseDNS yes')
      lab.server.write('/etc/resolv.conf', QUICKER)
      lab.rules(...NAMES.map((name) => ({ name, from: 'server', ...rule }) as const))
      const { report, status } = await serverCheck(lab, '--client', ADDRESSES.client)
      assert.equal(status, 1)
      assert.deepEqual(
        works(report).map(([code, subject]) => [code, subject]),
        [['ssh.auth-start', `${CONFIG}:2 UseDNS`]],
      )
      const { value } = report.findings[0]!.quantities.wait!
      assert.ok(value >= least && value < least + 1.5, `${value} s`)
      assert.equal(measure(report, 'names'), value)
    })
  }

  test('[S23] UseDNS is no: a name that comes late is a note, and a dead resolver is told', async (t) => {
    const lab = await Lab.open(t)
    lab.server.write('/etc/resolv.conf', `nameserver ${ADDRESSES.deadResolver}\noptions timeout:1 attempts:1\n`)
    const { report } = await serverCheck(lab, '--client', ADDRESSES.client)
    assert.deepEqual(
      works(report).map(([code, subject]) => [code, subject]),
      [['ssh.resolver', ADDRESSES.deadResolver]],
    )
    assert.ok(report.findings.some(({ code, severity }) => code === 'ssh.names-not-waited' && severity === 'note'))
    assert.equal(measure(report, 'names'), 0)
  })

  test('[S23] whoever is connected from elsewhere is looked up; a rule of TCP wrappers waits for the name', async (t) => {
    const lab = await Lab.open(t, ({ server }) => {
      server.write('/etc/resolv.conf', QUICKER)
      server.write('/etc/hosts.allow', '# ours\nsshd: .lab.test\n')
    })
    const session = lab.client.start(['/usr/bin/ssh', '-4', '-T', lab.host, 'echo in; sleep 60'])
    await until('a session', () => session.output.includes('in'))
    lab.rules(...NAMES.map((name) => ({ name, from: 'server', delayMs: 900 }) as const))
    const { report } = await serverCheck(lab)
    const [one] = works(report)
    assert.deepEqual(one?.slice(0, 2), ['ssh.banner', '/etc/hosts.allow:2'])
    assert.match(report.findings[0]!.says, new RegExp(ADDRESSES.client.replaceAll('.', '\\.')))
  })

  test('[S20, S23] GSSAPI without a keytab: the line that offers it', async (t) => {
    const lab = await Lab.open(t)
    await lab.sshd('\nGSSAPIAuthentication yes')
    const { report, status } = await serverCheck(lab)
    assert.deepEqual(works(report), [['ssh.gssapi', `${CONFIG}:2 GSSAPIAuthentication`, undefined]])
    assert.equal(status, 1)
    lab.server.write('/etc/krb5.keytab', 'key')
    assert.deepEqual(works((await serverCheck(lab)).report), [])
  })

  test('[S24, S26] a script of the message of the day, alone and in a login', async (t) => {
    const lab = await Lab.open(t, ({ server }) => server.script('/etc/update-motd.d/50-updates', 'sleep 2'))
    const alone = await serverCheck(lab)
    assertOnly(alone, 'ssh.session', '/etc/update-motd.d/50-updates', 2)
    const found = assertOnly(await serverCheck(lab, '--user', 'ops'), 'ssh.session', '/etc/update-motd.d/50-updates', 2)
    const told = found.evidence.map(({ source, text }) => `${source}: ${text}`).join('\n')
    assert.match(told, /seen in \/proc: .*\/etc\/update-motd.d\/50-updates/)
    assert.match(told, /^\/etc\/pam.d\/sshd:6: session optional pam_motd.so/m)
    assert.match(told, /run by itself/)
  })

  test('[S24, S27] a command that knows the keys, as its own user, and nothing of its arguments', async (t) => {
    const lab = await Lab.open(t, ({ server }) =>
      server.script(
        '/etc/ssh/keys',
        'test "$(id -un) $1 $2" = "nobody ops hidden" && sleep 1.5',
        'echo ssh-ed25519 AAAA',
      ),
    )
    await lab.sshd('AuthorizedKeysCommand /etc/ssh/keys %u hidden\nAuthorizedKeysCommandUser nobody')
    const ran = await serverCheck(lab, '--user', 'ops')
    const found = assertOnly(ran, 'ssh.keys', '/etc/ssh/keys', 1.5)
    assert.match(found.evidence.map(({ text }) => text).join('\n'), /as nobody; it told 1 keys/)
    assert.doesNotMatch(ran.output, /hidden|AAAA/)
  })

  test('[S21, S26, S27] a program of pam_exec, seen while it runs', async (t) => {
    const lab = await Lab.open(t, ({ server }) => {
      server.script('/etc/security/slow', 'sleep 2')
      const line = 'session optional pam_exec.so quiet type=open_session /etc/security/slow hidden'
      server.write('/etc/pam.d/common-session', `# ours\n${line}\n${server.read('/etc/pam.d/common-session')}`)
    })
    const ran = await serverCheck(lab, '--user', 'ops')
    const found = assertOnly(ran, 'ssh.session', '/etc/security/slow', 2)
    assert.match(found.cause ?? '', /pam_exec runs it .* \/etc\/pam.d\/common-session:2/)
    assert.doesNotMatch(ran.output, /hidden/)
    const rows = ran.report.tables.find(({ name }) => name === 'pam')!.rows.map((row) => row.slice(0, 3).join(' '))
    assert.deepEqual(rows.slice(0, 4), [
      'account pam_unix /etc/pam.d/common-account:1',
      'session pam_exec /etc/pam.d/common-session:2',
      'session pam_unix /etc/pam.d/common-session:6',
      'session pam_systemd /etc/pam.d/common-session:7',
    ])
  })

  test('[S26] a module of PAM that reads a large file', async (t) => {
    const lab = await Lab.open(t, ({ server }) => {
      // Nothing is in it, and all of it is read: 4 MB for a real log of as many failed logins.
      truncateSync(server.outside('/var/log/btmp'), 1536 * 2 ** 20)
      const line = 'session optional pam_lastlog.so showfailed'
      server.write('/etc/pam.d/common-session', `${line}\n${server.read('/etc/pam.d/common-session')}`)
    })
    const { report } = await serverCheck(lab, '--user', 'ops')
    assert.deepEqual(
      works(report).map(([code, subject]) => [code, subject]),
      [['ssh.session', '/var/log/btmp']],
    )
    const { quantities, evidence } = report.findings[0]!
    assert.ok(quantities.wait!.value >= 1, `${quantities.wait!.value} s`)
    assert.ok(evidence.some(({ source, text }) => source === 'seen in /proc' && text.startsWith('/var/log/btmp')))
  })

  test('[S24, S26] a directory of users that is slow', async (t) => {
    const lab = await Lab.open(t, async (opened) => {
      const { server } = opened
      server.write(
        '/etc/nsswitch.conf',
        server.read('/etc/nsswitch.conf').replace(/^group:.*$/m, 'group: files [SUCCESS=merge] systemd'),
      )
      await listenAt(opened, server.outside(DIRECTORY), (socket) => setTimeout(() => socket.destroy(), 1300))
    })
    // In a login it is asked where sshd reads the keys as the user; on a busy machine a look may come too late for that.
    const isSeen = ([code, subject]: readonly [string, string, unknown]) =>
      code === 'ssh.keys' && subject.includes(DIRECTORY)
    let found = works((await serverCheck(lab, '--user', 'ops')).report)
    for (let i = 1; i < 3 && !found.some(isSeen); i++) {
      found = works((await serverCheck(lab, '--user', 'ops')).report)
    }
    assert.deepEqual(found.find(([code]) => code === 'ssh.account')?.[1], '/etc/nsswitch.conf')
    assert.ok(found.some(isSeen), JSON.stringify(found))
  })

  test('[S26] the resolver that sshd waits for is seen, among all that it has open', async (t) => {
    const lab = await Lab.open(t, ({ server }) => {
      server.write('/etc/resolv.conf', QUICKER)
      server.write('/etc/hosts', '10.77.0.2 web1\n')
    })
    await lab.sshd('UseDNS yes')
    lab.rules({ name: reverseName('127.0.0.1'), answer: 'drop' })
    const { report } = await serverCheck(lab, '--user', 'ops')
    assertOnly({ report }, 'ssh.auth-start', ADDRESSES.resolver, 2)
  })

  test('[S26] a module of PAM that looks at the account', async (t) => {
    const lab = await Lab.open(t, ({ server }) => {
      server.script('/etc/security/slow', 'sleep 2')
      const line = 'account optional pam_exec.so quiet /etc/security/slow'
      server.write('/etc/pam.d/common-account', `${line}\n${server.read('/etc/pam.d/common-account')}`)
    })
    assertOnly(await serverCheck(lab, '--user', 'ops'), 'ssh.account', '/etc/security/slow', 2)
  })

  test('[S25, S26, S27] a line of ~/.bashrc, for a command and for a shell; as the user, and once', async (t) => {
    const lab = await Lab.open(t)
    const home = lab.server.home('ops')
    writeFileSync(join(home, '.bashrc'), 'secret=hidden\nif true; then\n  test "$(id -un)" = ops && sleep 2\nfi\n')
    writeFileSync(join(home, '.profile'), '. ~/.bashrc\n')
    const ran = await serverCheck(lab, '--user', 'ops')
    const found = assertOnly(ran, 'ssh.shell', `${join(home, '.bashrc')}:3`, 2)
    assert.ok(
      found.evidence.some(({ source }) => source === 'seen in /proc'),
      'in a login as well',
    )
    assert.doesNotMatch(ran.output, /hidden|sleep 2/)
  })

  test('[S25, S28] what a file leaves in the background is not waited for, and not left', async (t) => {
    const lab = await Lab.open(t)
    writeFileSync(join(lab.server.home('ops'), '.profile'), 'sleep 61042 &\n')
    const { report, seconds } = await serverCheck(lab, '--user', 'ops', '--without-login')
    assert.deepEqual(works(report), [])
    assert.ok(seconds < 10, `${seconds} s`)
    const look = await lab.server.run(['sh', '-c', 'grep -sl "[s]leep.61042" /proc/[0-9]*/cmdline'])
    assert.equal(look.output, '')
  })

  test('[S25] a line of ~/.bashrc that only a command comes to', async (t) => {
    const lab = await Lab.open(t)
    writeFileSync(join(lab.server.home('ops'), '.bashrc'), 'case $- in *i*) return ;; esac\nsleep 1.1\n')
    const ran = await serverCheck(lab, '--user', 'ops', '--without-login')
    assertOnly(ran, 'ssh.shell', `${join(lab.server.home('ops'), '.bashrc')}:2`, 1.1)
  })

  test('[S25] ~/.ssh/rc and a script of /etc/profile.d are told by their lines', async (t) => {
    const lab = await Lab.open(t, ({ server }) => server.write('/etc/profile.d/modules.sh', ':\nsleep 1.2\n'))
    const home = lab.server.home('ops')
    mkdirSync(join(home, '.ssh'), { recursive: true })
    writeFileSync(join(home, '.ssh/rc'), 'sleep 1.6\n')
    const { report } = await serverCheck(lab, '--user', 'ops', '--without-login')
    assert.deepEqual(
      works(report).map(([code, subject]) => [code, subject]),
      [
        ['ssh.shell', `${join(home, '.ssh/rc')}:1`],
        ['ssh.shell', '/etc/profile.d/modules.sh:2'],
      ],
    )
    assert.deepEqual(works((await serverCheck(lab)).report), [])
  })

  test('[S22, S26, S28] a systemd-logind that never answers, over D-Bus', async (t) => {
    const lab = await Lab.open(t, busWithoutLogind)
    // The bus gives up 25 s after the first has asked, which was not the login.
    const found = assertOnly(await serverCheck(lab, '--user', 'ops'), 'ssh.session-dbus', 'systemd-logind', 19)
    const told = found.evidence.map(({ source, text }) => `${source}: ${text}`).join('\n')
    assert.match(told, /seen in \/proc: D-Bus \(\/run\/dbus\/system_bus_socket\)/)
    assert.match(told, /^\/etc\/pam.d\/common-session:5: session optional pam_systemd.so/m)
    assert.match(told, /^D-Bus: no answer/m)
  })

  test('[S22, S28] a bus that takes connections and says nothing', async (t) => {
    const lab = await Lab.open(t, silentBus)
    const { report } = await serverCheck(lab)
    assert.deepEqual(
      works(report).map(([code, subject]) => [code, subject]),
      [['ssh.session-dbus', 'systemd-logind']],
    )
  })

  test('[S20] so many are connected and not in that new ones are dropped', async (t) => {
    const lab = await Lab.open(t)
    await lab.sshd('\nMaxStartups 3:30:10')
    const open = [3, 4, 5].map((one) => `exec ${one}<>/dev/tcp/${ADDRESSES.server}/22`).join('; ')
    const others = lab.client.start(['/bin/bash', '-c', `${open}; echo open; sleep 60`])
    await until('three connections', () => others.output.includes('open'))
    const { report } = await until('them seen', async () => {
      const ran = await serverCheck(lab)
      return works(ran.report).length > 0 && ran
    })
    assert.deepEqual(works(report), [['ssh.banner', `${CONFIG}:2 MaxStartups`, undefined]])
  })

  test('[S20] settings that sshd refuses: that, and nothing else', async (t) => {
    const lab = await Lab.open(t)
    lab.server.write(CONFIG, 'UseDNS perhaps\n')
    const { report, status } = await serverCheck(lab, '--user', 'ops')
    assert.deepEqual(
      works(report).map(([code]) => code),
      ['ssh.config-refused'],
    )
    assert.match(report.findings[0]!.evidence[0]!.text, /lab\.conf.* line 1/)
    assert.equal(status, 1)
  })

  test('[S26] a user whom sshd does not let in is said to be that', async (t) => {
    const lab = await Lab.open(t)
    lab.server.write(CONFIG, 'AllowUsers root\n')
    const { report } = await serverCheck(lab, '--user', 'ops')
    const why = report.unseen.find(({ what }) => what === 'a login of its own')?.why
    assert.match(why ?? '', /User ops from 127.0.0.1 not allowed because not listed in AllowUsers/)
  })

  test('[S26] what is set for some users counts, and what is forced is not run', async (t) => {
    const lab = await Lab.open(t)
    await lab.sshd(
      'Match User ops\nAuthorizedKeysFile none\nAuthenticationMethods publickey,password\nForceCommand touch /run/forced',
    )
    const { report } = await serverCheck(lab, '--user', 'ops')
    assert.ok(measure(report, 'login') < 3)
    assert.equal(existsSync(lab.server.outside('/run/forced')), false)
    assert.deepEqual(report.unseen.filter(({ what }) => what === 'ForceCommand').length, 1)
    const rows = report.tables.find(({ name }) => name === 'settings')!.rows
    assert.deepEqual(rows.find(([name]) => name === 'ForceCommand')!.slice(1), [
      'touch',
      `nobody, it is the default, ${CONFIG}:4 (Match User ops)`,
    ])
  })

  test('[S26] a closed TMPDIR, and an sshd that nobody has started yet', async (t) => {
    const lab = await Lab.open(t, ({ server }) => server.write('/run/closed/empty', ''))
    chmodSync(lab.server.outside('/run/closed'), 0o700)
    lab.stopSshd()
    await lab.server.run(['rmdir', '/run/sshd'])
    const env = { TMPDIR: '/run/closed' }
    const ran = await lab.serverFettle(['ssh', 'check', '--server', '--user', 'ops', '--json'], { env })
    const report = JSON.parse(ran.output) as Report
    assert.deepEqual(works(report), [])
    assert.ok(measure(report, 'login') < 3, ran.output)
  })

  test('[S26] an sshd that knows no Include: the same login', async (t) => {
    const lab = await Lab.open(t, ({ server }) => {
      const old = 'case "$1" in -V) echo OpenSSH_7.4p1 >&2; exit 1 ;; esac'
      const strict = 'for word; do case "$word" in /tmp/fettle-login-*/config) exit 1 ;; esac; done'
      server.script('/etc/own/sshd', old, strict, 'exec /usr/sbin/sshd "$@"')
      server.script('/etc/security/slow', 'sleep 1.5')
      const line = 'session optional pam_exec.so quiet type=open_session /etc/security/slow'
      server.write('/etc/pam.d/common-session', `${line}\n${server.read('/etc/pam.d/common-session')}`)
    })
    lab.stopSshd()
    const env = { PATH: '/etc/own:/usr/sbin:/usr/bin:/bin', TMPDIR: '/tmp' }
    const ran = await lab.serverFettle(['ssh', 'check', '--server', '--user', 'ops', '--json'], { env })
    assertOnly({ report: JSON.parse(ran.output) as Report }, 'ssh.session', '/etc/security/slow', 1.5)
  })

  test('[S28] who is not root, and who names nobody, gets one line and status 3', async (t) => {
    const lab = await Lab.open(t)
    const nobody = await lab.serverFettle(['ssh', 'check', '--server', '--user', 'nobodyhere'])
    assert.deepEqual([nobody.status, nobody.complaints], [3, 'fettle: nobodyhere: this machine knows no such user\n'])
    const ops = await lab.serverFettle(['ssh', 'check', '--server'], { user: 'ops' })
    assert.equal(ops.status, 3)
    assert.match(ops.complaints, /^fettle: .*needs root.*\n$/)
  })
})
