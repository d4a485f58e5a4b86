/** What `fettle ssh change` makes of a real sshd, and that it is as it was before when that is undone. */
import assert from 'node:assert/strict'
import { chmodSync, chownSync, readFileSync, symlinkSync } from 'node:fs'
import { describe, test } from 'node:test'
import type { Report } from '@fettle/report'
import { sshChange } from '@fettle/ssh'
import { until } from '../harness.ts'
import { reverseName } from './dns.ts'
import { OPS_ID } from './files.ts'
import { ADDRESSES, HOST, Lab } from './lab.ts'
import { filesBelow, journalsOf, measure, serverChange } from './serving.ts'

/** Most of the time is waiting. */
const AT_ONCE = 3
const OWN = '/etc/ssh/sshd_config.d/00-fettle.conf'
const MOTD = '/etc/update-motd.d/50-updates'
const CONFIG = '/etc/ssh/sshd_config'

/** What became of what; the journal and what is not found any more aside. */
const told = ({ findings }: Report) =>
  findings
    .filter(({ code }) => code.startsWith('change.') && code !== 'change.journal')
    .map(({ code, subject, says }) => `${code} ${subject}: ${says}`)

const settings = (lab: Lab) => filesBelow(lab, '/etc/ssh', '/etc/update-motd.d', '/etc/pam.d')

/** UseDNS as sshd has it now: it was told, or not. */
async function isLookingUp(lab: Lab): Promise<boolean> {
  const before = lab.queries().length
  assert.equal((await lab.login({ options: ['-4'] })).status, 0)
  return lab.queries().some(({ from, type }, i) => i >= before && from === 'server' && type === 'PTR')
}

describe('what makes a login slow, put right, and what is not touched', { concurrency: AT_ONCE }, () => {
  test('[S29, S30, S31] UseDNS, GSSAPI and a script: gone, measured by the client, and back byte for byte', async (t) => {
    const lab = await Lab.open(t, ({ server, client }) => {
      server.script(MOTD, 'sleep 2')
      server.write('/etc/resolv.conf', `nameserver ${ADDRESSES.resolver}\noptions timeout:2 attempts:1\n`)
      client.write('/etc/resolv.conf', `nameserver ${ADDRESSES.resolver}\noptions timeout:1 attempts:1\n`)
    })
    await lab.sshd('UseDNS yes\nGSSAPIAuthentication yes\n')
    const servers = [reverseName(ADDRESSES.server), reverseName(ADDRESSES.server6)]
    lab.rules(
      { name: reverseName(ADDRESSES.client), from: 'server', answer: 'drop' },
      ...servers.map((name) => ({ name, from: 'client', answer: 'drop' }) as const),
    )
    const before = settings(lab)
    const check = ['ssh', 'check', HOST, '--logins', '1', '--save', '--', '-4']
    const slow = await lab.fettle(check)
    assert.equal(slow.status, 1, slow.output)
    assert.match(slow.output, /GSSAPI \(Kerberos\) for/)
    const words = ['--client', ADDRESSES.client, '--user', 'ops']

    const shown = await serverChange(lab, ...words)
    assert.deepEqual(told(shown.report), [
      `change.planned ${OWN}: none becomes GSSAPIAuthentication no; UseDNS no.`,
      `change.planned ${MOTD}: 0755 becomes 0644.`,
    ])
    assert.deepEqual(settings(lab), before)

    const made = await serverChange(lab, ...words, '--apply')
    assert.equal(made.status, 0, made.output)
    assert.deepEqual(told(made.report), [
      `change.done ${OWN}: was none, is GSSAPIAuthentication no; UseDNS no.`,
      `change.done ${MOTD}: was 0755, is 0644.`,
    ])
    assert.equal(await isLookingUp(lab), false)
    const quick = await lab.fettle(check)
    assert.equal(quick.status, 0, quick.output)
    const compared = JSON.parse((await lab.fettle(['compare', '--json'])).output)
    const login = compared.changes.find(({ name }: { name: string }) => name === 'login')
    t.diagnostic(`a login: ${login.before.value} s before, ${login.after.value} s after`)
    assert.ok(login.before.value > 5 && login.after.value < 1, JSON.stringify(login))

    const undone = await serverChange(lab, '--undo', '--apply')
    assert.equal(undone.status, 0, undone.output)
    assert.deepEqual(settings(lab), before)
    assert.equal(await isLookingUp(lab), true)
  })

  test('[S29, S30] --set goes to the top of sshd_config where nothing is included; bytes, mode and owner stay', async (t) => {
    const lab = await Lab.open(t)
    const text = `# caf\u00e9\r\nUsePAM yes\nPrintMotd no\nSubsystem sftp internal-sftp`
    lab.server.write(CONFIG, text)
    const file = lab.server.outside(CONFIG)
    chmodSync(file, 0o640)
    chownSync(file, 0, OPS_ID)
    const before = settings(lab)
    const { report, status } = await serverChange(
      lab,
      '--set',
      'maxstartups=30:30:200',
      '--set',
      'UseDNS=yes',
      '--apply',
    )
    assert.equal(status, 0, JSON.stringify(report))
    assert.deepEqual(told(report), [`change.done ${CONFIG}: was empty, is MaxStartups 30:30:200; UseDNS yes.`])
    assert.ok(readFileSync(file, 'utf8').endsWith(text))
    assert.match(
      (await lab.server.run(['/usr/sbin/sshd', '-T'])).output,
      /^usedns yes\n(?:.*\n)*maxstartups 30:30:200$/m,
    )
    assert.deepEqual((await serverChange(lab, '--set', 'UseDNS=yes', '--apply')).report.findings, [])
    await serverChange(lab, '--set', 'UseDNS=no', '--apply')
    await serverChange(lab, '--undo', '--apply')
    await serverChange(lab, '--undo', '--apply')
    assert.deepEqual(settings(lab), before)
  })

  test('[S30] a file that is read before ours and sets the same: the top of sshd_config', async (t) => {
    const lab = await Lab.open(t, ({ server }) => server.write('/etc/ssh/sshd_config.d/00-a.conf', 'UseDNS yes\n'))
    const { report } = await serverChange(lab, '--set', 'UseDNS=no', '--apply')
    assert.deepEqual(told(report), [`change.done ${CONFIG}: was empty, is UseDNS no.`])
    assert.match((await lab.server.run(['/usr/sbin/sshd', '-T'])).output, /^usedns no$/m)
  })

  test('[S29] where names decide who may log in, UseDNS is left alone', async (t) => {
    const lab = await Lab.open(t)
    await lab.sshd('UseDNS yes\nDenyUsers mallory@*.bad.test\n')
    const before = settings(lab)
    const { report, status } = await serverChange(lab, '--apply')
    assert.deepEqual([report.findings.map(({ code }) => code), status], [['ssh.names-are-used'], 0])
    await lab.sshd('UseDNS yes\n')
    lab.server.write(`${lab.server.home('ops')}/.ssh/authorized_keys`, 'from="*.lab.test" ssh-ed25519 AAAA\n')
    const keys = await serverChange(lab, '--apply')
    assert.deepEqual(
      keys.report.findings.map(({ code }) => code),
      ['ssh.names-are-used'],
    )
    const { server } = lab
    server.write(`${server.home('ops')}/.ssh/authorized_keys`, '')
    server.write('/etc/security/access.conf', '+ : ops : .lab.test\n')
    server.write('/etc/pam.d/sshd', `${server.read('/etc/pam.d/sshd')}account required pam_access.so\n`)
    const access = await serverChange(lab, '--apply')
    assert.match(JSON.stringify(access.report.findings), /ssh\.names-are-used.*access\.conf:1/)
    assert.deepEqual(Object.keys(settings(lab)), Object.keys(before))
  })

  test('[S31] settings by which nobody could log in: tried before sshd knows of them, and put back', async (t) => {
    const lab = await Lab.open(t)
    // By the address nobody is let in: only the name fits.
    await lab.sshd('UseDNS yes\nAllowUsers root@localhost ops@desk.lab.test\n')
    const before = settings(lab)
    const { report, status } = await serverChange(lab, '--set', 'UseDNS=no', '--apply')
    assert.equal(status, 1)
    assert.match(
      told(report)[0]!,
      /^change.left .*was refused: a login does not work any more: .*AllowUsers; it is as it was$/,
    )
    assert.deepEqual(settings(lab), before)
    assert.doesNotMatch(lab.sshdLog, /SIGHUP/)
    assert.equal((await lab.login({ options: ['-4'] })).status, 0)
  })

  test('[S31] settings that sshd -t refuses when they are there: put back', async (t) => {
    const lab = await Lab.open(t, ({ server }) =>
      server.script(
        '/etc/own/sshd',
        `test "$1 $(ls ${OWN} 2>&1)" = "-t ${OWN}" && echo 'not like this' >&2 && exit 255`,
        'exec /usr/sbin/sshd "$@"',
      ),
    )
    lab.stopSshd()
    const before = settings(lab)
    const env = { PATH: '/etc/own:/usr/sbin:/usr/bin:/bin' }
    const { output, status } = await lab.serverFettle(['ssh', 'change', '--set', 'UseDNS=yes', '--apply', '--json'], {
      env,
    })
    assert.match(output, /was refused: sshd does not take it \(not like this\); it is as it was/)
    assert.match(output, /ssh\.not-asked/)
    assert.equal(status, 1)
    assert.deepEqual(settings(lab), before)
  })

  test('[S31] settings that do not come to count: put back', async (t) => {
    const lab = await Lab.open(t, ({ server }) =>
      server.script('/etc/own/sshd', 'test "$1" = -T && exec echo usedns no', 'exec /usr/sbin/sshd "$@"'),
    )
    lab.stopSshd()
    const before = settings(lab)
    const env = { PATH: '/etc/own:/usr/sbin:/usr/bin:/bin' }
    const words = ['ssh', 'change', '--set', 'UseDNS=yes', '--apply', '--json']
    const { output, status } = await lab.serverFettle(words, { env })
    assert.match(output, /was refused: UseDNS stays no, set elsewhere; it is as it was/)
    assert.equal(status, 1)
    assert.deepEqual(settings(lab), before)
  })

  test('[S31] an sshd that does not come back from a reload: what was there is there again, and it is said', async (t) => {
    const lab = await Lab.open(t)
    lab.stopSshd()
    await lab.server.run(['cp', '/usr/sbin/sshd', '/etc/own-sshd'])
    await lab.server.run(['sh', '-c', 'mkdir /etc/own && mv /etc/own-sshd /etc/own/sshd'])
    const sshd = lab.server.start(['/etc/own/sshd', '-D', '-e'])
    await until('sshd', () => sshd.output.includes('Server listening on'))
    // For each connection it runs itself once more, with -R; only another start fails.
    const start = 'case " $* " in *" -R "*) ;; *" -D "*) exit 1 ;; esac'
    lab.server.script('/etc/own/other', start, 'exec /usr/sbin/sshd "$@"')
    await lab.server.run(['mv', '/etc/own/other', '/etc/own/sshd'])
    const before = settings(lab)
    const { output, complaints, status } = await lab.serverFettle(['ssh', 'change', '--set', 'UseDNS=yes', '--apply'])
    assert.match(complaints, /^fettle: .*sshd does not answer any more; .*\(sshd has ended; start it\)\n$/, output)
    assert.equal(status, 3)
    assert.deepEqual(settings(lab), before)
  })

  test('[S31] where systemd runs, it is told to reload, and nothing is restarted', async (t) => {
    const lab = await Lab.open(t, ({ server }) => {
      server.write('/run/systemd/system/empty', '')
      const reload = 'test "$1 $2" != "reload sshd.service" || kill -HUP $(cat /run/sshd.pid)'
      const show = 'test "$3" = sshd.service && echo MainPID=$(cat /run/sshd.pid) || echo MainPID=0'
      server.script('/etc/own/systemctl', 'echo "$@" >> /run/asked', `test "$1" = show && { ${show}; exit; }`, reload)
    })
    const env = { PATH: '/etc/own:/usr/sbin:/usr/bin:/bin' }
    const ran = await lab.serverFettle(['ssh', 'change', '--set', 'UseDNS=yes', '--apply'], { env })
    assert.equal(ran.status, 0, ran.output + ran.complaints)
    const asked = lab.server.read('/run/asked').split('\n')
    assert.deepEqual(
      new Set(asked),
      new Set([
        'show --property=MainPID ssh.service',
        'show --property=MainPID sshd.service',
        'reload sshd.service',
        '',
      ]),
    )
    assert.equal(await isLookingUp(lab), true)
  })

  test('[S30] what others write into the same file, meanwhile or later, stays there', async (t) => {
    const lab = await Lab.open(t, ({ server }) => {
      server.script('/etc/security/edit', `test ! -e /run/edit || echo '# of others' >> ${CONFIG}`)
      const line = 'session optional pam_exec.so quiet type=open_session /etc/security/edit'
      server.write('/etc/pam.d/sshd', `${line}\n${server.read('/etc/pam.d/sshd')}`)
    })
    const { server } = lab
    await serverChange(lab, '--set', 'UseDNS=yes', '--apply')
    server.write(OWN, `${server.read(OWN)}# later\n`)
    const { report } = await serverChange(lab, '--undo', '--apply')
    assert.deepEqual(told(report), [`change.undone ${OWN}: was UseDNS yes, is none again.`])
    assert.equal(server.read(OWN), '# later\n')
    assert.match((await lab.serverFettle(['ssh', 'change', '--undo'])).complaints, /nothing is kept here/)

    const text = 'UsePAM yes\nSubsystem sftp internal-sftp\n'
    server.write(CONFIG, text)
    server.write('/run/edit', '')
    const refused = await serverChange(lab, '--set', 'UseDNS=yes', '--apply')
    assert.match(told(refused.report)[0]!, /refused: others have changed it meanwhile$/)
    assert.match(server.read(CONFIG), new RegExp(`^${text}(# of others\n)+$`))
  })

  test('[S29] a Match for the user whose login is tried does not hide what counts for all', async (t) => {
    const lab = await Lab.open(t)
    await lab.sshd('GSSAPIAuthentication yes\nUseDNS no\nMatch User ops\nGSSAPIAuthentication no\n')
    const { report } = await serverChange(lab, '--user', 'ops')
    assert.deepEqual(told(report), [`change.planned ${OWN}: none becomes GSSAPIAuthentication no.`])
    // Nobody has come to it.
    assert.doesNotMatch(lab.sshdLog, /Connection|from 127/)
  })

  test('[S29, S31] the examples run', async (t) => {
    const lab = await Lab.open(t)
    await lab.sshd('UseDNS yes')
    const before = settings(lab)
    for (const example of sshChange.examples) {
      const { status, output, complaints } = await lab.serverFettle(example.split(' ').slice(1))
      assert.ok(status === 0 || status === 1, `${example}: ${output}${complaints}`)
      assert.equal(complaints, '', example)
    }
    assert.deepEqual(settings(lab), before)
  })

  test('[S31] who could not log in before: nothing is touched, in one line', async (t) => {
    const lab = await Lab.open(t)
    await lab.sshd('AllowUsers ops\n')
    const before = settings(lab)
    const words = ['ssh', 'change', '--set', 'UseDNS=yes', '--apply']
    const root = await lab.serverFettle(words)
    assert.match(root.complaints, /^fettle: root: cannot log in here even before \(.*AllowUsers\).*--user\n$/)
    assert.equal(root.status, 3)
    assert.deepEqual(settings(lab), before)
    assert.equal((await lab.serverFettle([...words, '--user', 'ops'])).status, 0)
  })

  const one = async (lab: Lab, line: RegExp, ...more: string[]) => {
    const before = settings(lab)
    const ran = await lab.serverFettle([
      'ssh',
      'change',
      ...(more.length > 0 ? more : ['--set', 'UseDNS=yes']),
      '--apply',
    ])
    assert.match(ran.complaints, line)
    assert.match(ran.complaints, /^fettle: [^\n]+\n$/)
    assert.equal(ran.status, 3)
    assert.deepEqual(settings(lab), before)
    assert.deepEqual(journalsOf(lab), [])
  }

  test('[S32] not touched: settings that sshd refuses already', async (t) => {
    const lab = await Lab.open(t)
    lab.server.write('/etc/ssh/sshd_config.d/lab.conf', 'UseDNS perhaps\n')
    await one(lab, /sshd does not take it \(.*lab\.conf.*\); put that right first/)
  })

  test('[S32] not touched: links, in place of the settings and of the folder', async (t) => {
    const lab = await Lab.open(t)
    const { server } = lab
    await server.run(['sh', '-c', `mv ${CONFIG}.d /etc/elsewhere && ln -s /etc/elsewhere ${CONFIG}.d`])
    await one(lab, /sshd_config\.d: is a link/)
    await server.run(['sh', '-c', `rm ${CONFIG}.d; mv ${CONFIG} /etc/there && ln -s /etc/there ${CONFIG}`])
    await one(lab, /sshd_config: is a link/)
  })

  test('[S32] not touched: settings that are not there', async (t) => {
    const lab = await Lab.open(t)
    await one(lab, /\/etc\/none: is not there/, '/etc/none', '--set', 'UseDNS=yes')
  })

  test('[S32] not touched: an sshd that reads other settings, or was started with its own', async (t) => {
    const lab = await Lab.open(t)
    lab.server.write('/etc/ssh/other', 'UsePAM yes\n')
    await lab.sshd('', ['-f', '/etc/ssh/other'])
    await one(lab, /the sshd that listens reads \/etc\/ssh\/other/)
    await lab.sshd('', ['-o', 'UseDNS=no'])
    await one(lab, /started with -o UseDNS/)
  })

  test('[S32] not touched: what a user calls sshd and lets listen is not taken for sshd', async (t) => {
    const lab = await Lab.open(t)
    lab.stopSshd()
    const { server } = lab
    const own = `${server.home('ops')}/sshd`
    await server.run(['cp', '/usr/bin/perl', own])
    const listen = 'use IO::Socket::INET; my $s = IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1:2222");'
    const script = `${listen} print "listens\\n"; sleep 300`
    const fake = server.start([own, '-e', `$| = 1; ${script}`, '--', '-f', '/home/ops/other'], { user: 'ops' })
    await until('what calls itself sshd', () => fake.output.includes('listens') || fake.status !== undefined)
    assert.equal(fake.status, undefined, fake.output + fake.complaints)
    await lab.sshd('UseDNS yes\n')
    const { report, status } = await serverChange(lab, '--set', 'UseDNS=no', '--apply')
    assert.deepEqual([status, told(report)], [0, [`change.done ${OWN}: was none, is UseDNS no.`]])
    assert.equal(await isLookingUp(lab), false)
  })

  test('[S31, S32] not touched: a number of no sshd that listens', async (t) => {
    const lab = await Lab.open(t)
    lab.server.write('/run/other.pid', '1\n')
    await one(lab, /other\.pid: no sshd that listens/, '--set', 'UseDNS=yes', '--pid-file', '/run/other.pid')
  })

  test('[S32] not touched: a file system that takes nothing: it is told, and nothing has changed', async (t) => {
    const lab = await Lab.open(t)
    await lab.server.run(['mount', '--bind', '/etc/ssh', '/etc/ssh'])
    await lab.server.run(['mount', '-o', 'remount,ro,bind', '/etc/ssh'])
    const before = settings(lab)
    const { report, status } = await serverChange(lab, '--set', 'UseDNS=yes', '--apply')
    assert.match(told(report)[0]!, /^change.left .*was refused: .*cannot be written \(EROFS\)$/)
    assert.equal(status, 1)
    assert.deepEqual(settings(lab), before)
  })

  test('[S29, S32] not touched: a script of the message of the day that is a link', async (t) => {
    const lab = await Lab.open(t, ({ server }) => {
      server.script('/etc/own/updates', 'sleep 1.2')
      symlinkSync('/etc/own/updates', server.outside(MOTD))
    })
    const { report, status } = await serverChange(lab, '--apply')
    assert.deepEqual(
      [report.findings.map(({ code, subject }) => [code, subject]), status],
      [[['ssh.motd-link', MOTD]], 0],
    )
    assert.ok(measure(report, 'motd') !== 0)
  })
})
