/** The lab itself: a login is quick there, the DNS does as it is told, and nothing of it is outside or stays behind. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { find, Ground, until } from '../harness.ts'
import { reverseName } from './dns.ts'
import { ADDRESSES, HOST, Lab } from './lab.ts'

test('a login is quick, to a command and to a shell', async (t) => {
  const lab = await Lab.open(t)
  const logins = [await lab.login({ command: ['hostname'] }), await lab.login({ command: undefined })]
  assert.deepEqual(
    logins.map(({ status }) => status),
    [0, 0],
  )
  assert.equal(logins[0]!.output, 'web1\n')
  assert.match(logins[1]!.output, /Linux web1/)
  const seconds = logins.map((login) => login.seconds)
  assert.ok(Math.min(...seconds) < 1, `${seconds}`)
})

test('the DNS answers, says no, keeps silent and takes its time as it is told, and tells what it was asked', async (t) => {
  const lab = await Lab.open(t)
  const asks = (kind: 'ahostsv4' | 'ahostsv6' | 'hosts', name: string) => lab.client.run(['getent', kind, name])
  assert.match((await asks('ahostsv4', HOST)).output, /^10\.77\.0\.2 /)
  assert.match((await asks('ahostsv6', HOST)).output, /^2001:db8:77::2 /)
  assert.match((await asks('hosts', ADDRESSES.server6)).output, /web1\.lab\.test/)
  assert.equal((await asks('ahostsv4', 'nobody.test')).status, 2)
  assert.deepEqual(lab.queries(), [
    { from: 'client', type: 'A', name: HOST },
    { from: 'client', type: 'AAAA', name: HOST },
    { from: 'client', type: 'PTR', name: reverseName(ADDRESSES.server6) },
    { from: 'client', type: 'A', name: 'nobody.test' },
  ])
  lab.rules({ type: 'A', from: 'client', answer: 'nxdomain', delayMs: 500 }, { type: 'PTR', answer: 'drop' })
  const late = await asks('ahostsv4', HOST)
  assert.equal(late.status, 2)
  assert.ok(late.seconds >= 0.5)
  assert.match((await lab.server.run(['getent', 'ahostsv4', HOST])).output, /^10\.77\.0\.2 /)
  const resolver = (options: string) =>
    lab.client.write('/etc/resolv.conf', `nameserver ${ADDRESSES.resolver}\noptions timeout:1 attempts:1 ${options}\n`)
  resolver('use-vc') // by TCP
  assert.match((await asks('ahostsv6', HOST)).output, /^2001:db8:77::2 /)
  resolver('')
  const unanswered = await asks('hosts', ADDRESSES.server6)
  assert.equal(unanswered.status, 2)
  assert.ok(unanswered.seconds >= 1)
})

test('the real machine has neither its network, nor its files, nor its mounts', async (t) => {
  const before = readFileSync('/etc/passwd', 'utf8')
  const lab = await Lab.open(t)
  const ground = new Ground(t)
  const links = ground.start(find('ip'), ['-o', 'link'])
  await links.ended
  assert.doesNotMatch(links.output, /\blan\b/)
  assert.doesNotMatch(readFileSync('/proc/self/mountinfo', 'utf8'), new RegExp(lab.ground.folder))
  assert.equal(readFileSync('/etc/passwd', 'utf8'), before)
  const seen = await lab.server.run(['/bin/sh', '-c', 'cat /proc/[0-9]*/comm; cat /etc/hostname'])
  assert.deepEqual(new Set(seen.output.trim().split('\n')), new Set(['sh', 'sleep', 'sshd', 'web1']))
})

test('nothing of it goes on when the test is killed', async (t) => {
  const ground = new Ground(t)
  const program = [
    `import { Lab } from '${join(import.meta.dirname, 'lab.ts')}'`,
    'const lab = await Lab.open({ after() {} })',
    'console.log(`folder=${lab.ground.folder};`)',
    'setInterval(() => {}, 1000)',
  ]
  const running = ground.start(process.execPath, ['--input-type=module-typescript', '-e', program.join('\n')])
  const folder = await until('a lab', () => /folder=(.*);/.exec(running.output)?.[1])
  t.after(async () => rmSync(folder, { recursive: true, force: true }))
  assert.ok(processesOf(folder).length > 3, `${processesOf(folder)}`)
  running.kill('SIGKILL')
  await until('the end of all that it started', () => processesOf(folder).length === 0)
})

/** Numbers of the processes that speak of it. */
function processesOf(folder: string): string[] {
  return readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name)) return false
    try {
      return readFileSync(`/proc/${name}/cmdline`, 'utf8').includes(folder)
    } catch {
      return false // it has just ended
    }
  })
}
