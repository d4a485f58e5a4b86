/** What a shell reads, line by line, by a real bash. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { readTrace, startScript } from '../src/core/trace.ts'

test('[S16] the line of each file is told that waits, and what it runs is not', (t) => {
  const home = mkdtempSync(join(tmpdir(), 'fettle-trace-'))
  t.after(() => rmSync(home, { recursive: true, force: true }))
  mkdirSync(join(home, '.ssh'))
  writeFileSync(join(home, '.ssh/rc'), 'x=1\nsleep 0.4 # secret\n')
  writeFileSync(join(home, '.bashrc'), ['a() {', '  sleep 0.3', '}', 'a', 'a', 'echo hello', ''].join('\n'))
  writeFileSync(join(home, '.bash_profile'), 'case $- in *i*) sleep 0.5 ;; esac\n')
  const slow = (of: 'login' | 'command', hasRc: boolean) => {
    const script = `exec 3>&1 >/dev/null\n${startScript(of, hasRc)}`
    const words = ['--noprofile', '--norc', ...(of === 'login' ? ['-i'] : []), '-c', script]
    const { stdout } = spawnSync('bash', words, { encoding: 'utf8', env: { HOME: home, PATH: process.env.PATH } })
    const lines = readTrace([{ at: 0, text: stdout }], 0, new Set()).filter(({ seconds }) => seconds >= 0.25)
    assert.doesNotMatch(JSON.stringify(lines), /secret/)
    return lines.map(({ file, line, times }) => `${file.replace(home, '~')}:${line} ${times}`)
  }
  assert.deepEqual(slow('command', true), ['~/.bashrc:2 2', '~/.ssh/rc:2 1'])
  assert.deepEqual(slow('command', false), ['~/.bashrc:2 2'])
  assert.deepEqual(slow('login', false), ['~/.bash_profile:1 2'])
})
