/** What was planted when the cases were recorded, and that each is found: what, how long, how sure, at which lines. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judge } from '../src/core/judge.ts'
import { readLog } from '../src/core/log.ts'
import { type Planted, recordings } from './recordings.ts'

/**
 * From what was planted, written down before the program had seen them: code, seconds, how sure the log lets one be of
 * the cause, and the two lines with the wait between them.
 */
const PLANTED: Readonly<Record<string, Planted>> = {
  'authorized-keys-command': ['ssh.keys', 3.005 + 4.259, 'likely', 101, 102],
  'bash-profile': ['ssh.shell', 3.009, 'likely', 161, 162],
  'aaaa-dropped': ['ssh.lookup', 15.012, 'likely', 3, 4],
  'aaaa-dead': ['ssh.address', 5.002, 'measured', 7, 8],
  'big-segment-late': ['ssh.kex', 3.995, 'possible', 55, 56],
  'pam-session': ['ssh.session', 4.016, 'possible', 120, 121],
  'logind-hangs': ['ssh.session-dbus', 25.031, 'likely', 120, 121],
  'proxy-command': ['ssh.proxy', 3.053, 'possible', 6, 7],
  'banner-late': ['ssh.banner', 3.012, 'possible', 10, 11],
  'ssh-rc': ['ssh.shell', 3.009, 'possible', 157, 158],
  'motd-script': ['ssh.session', 3.015, 'possible', 120, 121],
  'ptr-late': ['ssh.auth-start', 4.643, 'possible', 90, 91],
  'ptr-dropped': ['ssh.auth-start', 18.568, 'likely', 90, 91],
}

/** Something was planted that costs nothing, or that this client never came to. */
const NOTHING = [
  'ptr-nxdomain',
  'bashrc-sftp',
  'aaaa-not-tried',
  'pam-auth-with-key',
  'bus-refuses',
  'logind-hangs-no-pam',
  'from-pattern-ptr-dropped',
  'match-host-ptr-dropped',
]

const faults = (name: string) => {
  const log = readLog(recordings.get(name)!)
  assert.ok(log, name)
  return judge(log).findings.filter(({ severity }) => severity !== 'note')
}

test('[S5, S6] each planted cause is found, alone, with its seconds, its lines, and no more certainty than there is', () => {
  for (const [name, [code, seconds, confidence, ...lines]] of Object.entries(PLANTED)) {
    const [one, ...more] = faults(name)
    assert.deepEqual(more, [], name)
    assert.deepEqual([one?.code, one?.severity, one?.confidence], [code, 'fault', confidence], name)
    const { value } = one!.quantities.wait!
    assert.ok(Math.abs(value - seconds) < 0.1, `${name}: ${value}`)
    const sources = one!.evidence.slice(-2).map(({ source }) => Number(/^line (\d+)/.exec(source)?.[1]))
    assert.deepEqual(sources, lines, name)
  }
})

test('[S5] where nothing waits, nothing is found', () => {
  for (const name of NOTHING) assert.deepEqual(faults(name), [], name)
})

test('[S9] a log that was cut while it connects says so, and makes up no time', () => {
  const [one, ...more] = faults('aaaa-dead-cut')
  assert.deepEqual([one?.code, one?.severity, one?.quantities, more], ['ssh.ends', 'warning', {}, []])
  assert.match(one!.says, /2001:db8:9::dead/)
})

test('every recording is spoken of', () => {
  const spoken = [...Object.keys(PLANTED), ...NOTHING, 'aaaa-dead-cut', 'note-client-6.6.1', 'note-pledge-network']
  assert.deepEqual(spoken.sort(), Array.from(recordings.keys()).sort())
})
