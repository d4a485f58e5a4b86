/** Whatever ends `fettle ssh change` in the middle, `--undo` puts back what was begun, and nothing else. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { launcher } from '../fettle.ts'
import { until } from '../harness.ts'
import { Lab } from './lab.ts'
import { filesBelow, journalsOf, serverChange } from './serving.ts'

const OWN = '/etc/ssh/sshd_config.d/00-fettle.conf'
const settings = (lab: Lab) => filesBelow(lab, '/etc/ssh', '/etc/update-motd.d')

test('[S32] killed while the new settings are tried: undone is what was begun', async (t) => {
  const lab = await Lab.open(t, ({ server }) => {
    server.script('/etc/security/slow', `test -e ${OWN} && sleep 30`, 'true')
    const line = 'session optional pam_exec.so quiet type=open_session /etc/security/slow'
    server.write('/etc/pam.d/common-session', `${line}\n${server.read('/etc/pam.d/common-session')}`)
  })
  const before = settings(lab)
  const data = join(lab.server.home('root'), 'fettle')
  const words = [process.execPath, launcher, 'ssh', 'change', '--set', 'UseDNS=yes', '--apply']
  const running = lab.server.start(words, { env: { FETTLE_DATA: data } })
  await until('the new file', () => existsSync(lab.server.outside(OWN)) || running.status !== undefined)
  assert.equal(running.status, undefined, running.output)
  running.kill('SIGKILL')
  await running.ended
  const { entries } = JSON.parse(readFileSync(journalsOf(lab)[0]!, 'utf8'))
  assert.deepEqual(
    entries.map(({ state, what }: Record<string, string>) => [state, what]),
    [['begun', OWN]],
  )
  lab.server.script('/etc/security/slow', 'true')
  const { report, status } = await serverChange(lab, '--undo', '--apply')
  assert.deepEqual(
    [status, report.findings.map(({ code, says }) => `${code} ${says}`)],
    [0, ['change.undone was UseDNS yes, is none again.']],
  )
  assert.deepEqual(settings(lab), before)
  assert.equal((await lab.login()).status, 0)
})

/** A run of fettle in the server, whose number is known there. */
async function startChange(lab: Lab, ...more: string[]) {
  const data = join(lab.server.home('root'), 'fettle')
  const words = [process.execPath, launcher, 'ssh', 'change', '--set', 'UseDNS=yes', '--apply', ...more]
  const script = 'echo $$ > /run/fettle.pid; exec "$@"'
  const running = lab.server.start(['sh', '-c', script, 'sh', ...words], { env: { FETTLE_DATA: data } })
  const interrupt = () => lab.server.run(['sh', '-c', 'kill -INT $(cat /run/fettle.pid)'])
  return { running, interrupt }
}

test('[S31, S32] Ctrl-C while the new settings are tried, or before: what was there is there', async (t) => {
  const lab = await Lab.open(t, ({ server }) => {
    server.script('/etc/security/slow', `test -e ${OWN} && sleep 60`, 'test -e /run/wait && sleep 60', 'true')
    const line = 'session optional pam_exec.so quiet type=open_session /etc/security/slow'
    server.write('/etc/pam.d/common-session', `${line}\n${server.read('/etc/pam.d/common-session')}`)
  })
  const before = settings(lab)
  const late = await startChange(lab)
  await until('the new file', () => existsSync(lab.server.outside(OWN)) || late.running.status !== undefined)
  assert.equal(late.running.status, undefined, late.running.output)
  await late.interrupt()
  await until('its end', () => late.running.status !== undefined)
  assert.match(late.running.output, /refused: stopped; it is as it was/)
  assert.deepEqual(settings(lab), before)
  assert.doesNotMatch(lab.sshdLog, /SIGHUP/)

  lab.server.write('/run/wait', '')
  const logins = () => lab.sshdLog.length
  const early = await startChange(lab)
  await until('a login', () => existsSync(lab.server.outside('/run/fettle.pid')) && logins() > 0)
  await new Promise((resolve) => setTimeout(resolve, 4000))
  await early.interrupt()
  await until('its end', () => early.running.status !== undefined)
  assert.equal(early.running.status, 3, early.running.output)
  assert.match(early.running.complaints, /stopped before anything was changed/)
  assert.deepEqual(settings(lab), before)
})

test('[S31] where no login works right before it is written, nothing is written', async (t) => {
  const lab = await Lab.open(t, ({ server }) => {
    server.script('/etc/security/once', 'test ! -e /run/once && touch /run/once')
    const line = 'account required pam_exec.so quiet /etc/security/once'
    server.write('/etc/pam.d/sshd', `${line}\n${server.read('/etc/pam.d/sshd')}`)
  })
  const before = settings(lab)
  const { report, status } = await serverChange(lab, '--set', 'UseDNS=yes', '--apply')
  assert.equal(status, 1)
  assert.match(report.findings[0]!.says, /refused: a login does not work any more even before: /)
  assert.deepEqual(settings(lab), before)
})

test('[S32] a journal that was written by others sets nothing that could not be set from here', async (t) => {
  const lab = await Lab.open(t)
  await serverChange(lab, '--set', 'UseDNS=yes', '--apply')
  const [file] = journalsOf(lab)
  const journal = readFileSync(file!, 'utf8')
  const after = settings(lab)
  const forged = [
    ['"was": null', '"was": "PermitRootLogin yes"'],
    ['"was": null', '"was": "UseDNS no\\nPermitRootLogin yes"'],
    [OWN, '/etc/ssh/ssh_host_ed25519_key.pub'],
    [OWN, '/etc/update-motd.d/../passwd'],
  ] as const
  for (const [from, to] of forged) {
    assert.ok(journal.includes(from))
    writeFileSync(file!, journal.replaceAll(from, to))
    const { output, complaints, status } = await lab.serverFettle(['ssh', 'change', '--undo', '--apply'])
    assert.notEqual(status, 0, `${to}: ${output}${complaints}`)
    assert.deepEqual(settings(lab), after, to)
  }
})
