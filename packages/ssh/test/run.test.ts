/** How a program that is called ssh is run, stamped and ended. It is a script here: what ssh itself does is tested with it. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { Unseen } from '@fettle/check'
import { type RunOptions, runSsh } from '../src/client/run.ts'

interface Script {
  readonly folder: string
  run(more?: Partial<RunOptions>): ReturnType<typeof runSsh>
}

function script(t: TestContext, ...lines: readonly string[]): Script {
  const folder = mkdtempSync(join(tmpdir(), 'fettle-run-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(join(folder, 'ssh'), ['#!/bin/sh', `cd ${folder}`, ...lines, ''].join('\n'), { mode: 0o755 })
  const environment = { PATH: `${folder}:/usr/bin:/bin` }
  const options = { limitSeconds: 20, signal: new AbortController().signal, environment }
  return { folder, run: (more = {}) => runSsh([], { ...options, ...more }) }
}

const isAlive = (pid: number) => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

async function assertGone(folder: string, name: string): Promise<void> {
  const pid = Number(readFileSync(join(folder, name), 'utf8'))
  for (let i = 0; i < 40 && isAlive(pid); i++) await wait(50)
  assert.equal(isAlive(pid), false, `process ${pid} is still there`)
}

test('[S14] each line is stamped when it begins, with the stream it came from, and without its return', async (t) => {
  const { run } = script(
    t,
    "printf 'debug1: a\\r\\n' >&2; sleep 0.3; printf 'o'; sleep 0.3; printf 'ut\\nlast' ; exit 7",
  )
  const { text, end, status } = await run()
  const lines = text.split('\n').map((line) => /^(\d+\.\d{6}) (ERR|OUT) (.*)$/.exec(line)!.slice(1))
  assert.deepEqual(
    lines.map(([, ...rest]) => rest),
    [
      ['ERR', 'debug1: a'],
      ['OUT', 'out'],
      ['OUT', 'last'],
    ],
  )
  const [a, out, last] = lines.map(([at]) => Number(at))
  assert.ok(out! - a! > 0.25 && last! - out! > 0.25, text)
  assert.deepEqual([end, status], ['over', 7])
})

test('[S18] one that hangs is ended, and so is what it has started, though it hears no signal to end', async (t) => {
  const { folder, run } = script(
    t,
    "trap '' TERM",
    '(trap "" TERM; sh -c \'echo $PPID\' > child; while :; do sleep 1; done) &',
    'echo "debug1: begun" >&2',
    'while :; do sleep 1; done',
  )
  const { text, end, seconds } = await run({ limitSeconds: 1 })
  assert.equal(end, 'limit')
  assert.ok(seconds < 4, `${seconds} s`)
  assert.match(text, /ERR debug1: begun\n.* ERR fettle: nothing was waited for any more$/)
  await assertGone(folder, 'child')
})

test('[S18] one that floods is ended', async (t) => {
  const { run } = script(t, 'exec yes >&2')
  const { end, text, seconds } = await run()
  assert.equal(end, 'flood')
  assert.ok(seconds < 10 && text.length < 64 * 1024 * 1024, `${seconds} s, ${text.length}`)
})

test('[S18] what holds the output after its end is not waited for, and is ended', async (t) => {
  const { folder, run } = script(t, "(sh -c 'echo $PPID' > child; sleep 60) &", 'sleep 0.2', 'exit 0')
  const { end, status, seconds } = await run()
  assert.deepEqual([end, status], ['over', 0])
  assert.ok(seconds < 3, `${seconds} s`)
  await assertGone(folder, 'child')
})

test('[S14] one that is where it was wanted is ended', async (t) => {
  const { run } = script(t, 'echo "debug3: receive packet: type 80" >&2', 'exec sleep 60')
  const { end, seconds } = await run({ ready: /type 80$/ })
  assert.equal(end, 'ready')
  assert.ok(seconds < 5, `${seconds} s`)
})

test('one that is broken off ends at once; where there is no ssh, one line says so', async (t) => {
  const { run, folder } = script(t, 'exec sleep 60')
  const stop = new AbortController()
  setTimeout(() => stop.abort(), 200)
  const { end, seconds } = await run({ signal: stop.signal })
  assert.equal(end, 'stopped')
  assert.ok(seconds < 3, `${seconds} s`)
  rmSync(join(folder, 'ssh'))
  await assert.rejects(run({ environment: { PATH: folder } }), (error) => {
    assert.ok(error instanceof Unseen)
    assert.equal(error.message, 'ssh: cannot be run (ENOENT); on Debian: apt-get install openssh-client')
    return true
  })
})

test('[S14] a line that nobody has ended stands where it began, and the stamps run forwards', async (t) => {
  const { run } = script(t, "printf 'Loading'; sleep 0.2; echo 'debug1: later' >&2; sleep 0.2")
  const { text } = await run()
  const lines = text.split('\n')
  assert.deepEqual(
    lines.map((line) => line.slice(line.indexOf(' ') + 1)),
    ['OUT Loading', 'ERR debug1: later'],
  )
})
