/** A log as it grows, is rotated, cut, packed, removed and refused, while the meter runs and while it does not. */
import assert from 'node:assert/strict'
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { call, LogRig } from './log-rig.ts'

const kinds = (rig: LogRig) => rig.notices.map(({ kind }) => kind)

test('[R42] a log is read from its beginning, then as it grows; a line in halves is one', async (t) => {
  const rig = new LogRig(t)
  rig.write(call(1, 2))
  await rig.start()
  await rig.settle()
  assert.deepEqual(rig.told(), ['1 exact deleted 200'])
  const [first = '', ...rest] = call(2, 1).map((text) => rig.line(text))
  for (const part of [first.slice(0, 40), first.slice(40), rest.join('').slice(0, 99), rest.join('').slice(99)]) {
    appendFileSync(rig.path, part)
    await rig.settle()
  }
  assert.deepEqual(rig.told(), ['1 exact deleted 200', '2 exact deleted 100'])
  assert.deepEqual(rig.gaps(), [])
  const [begun] = rig.notices
  assert.ok(begun?.kind === 'log reading' && begun.isNews && begun.file.from === 0)
  assert.deepEqual(kinds(rig), ['log reading', 'log current'])
})

test('[R42] a restart is no gap, wherever the file has got to', async (t) => {
  const moves: Readonly<Record<string, (path: string) => void>> = {
    'it is where it was': () => {},
    'it was renamed': (path) => renameSync(path, `${path}.1`),
    'it was renamed by its date': (path) => renameSync(path, `${path}-20261122`),
    'its date stands in front of the extension': (path) => renameSync(path, path.replace('.log', '-20261122.log')),
    'it was packed': (path) => {
      const { atime, mtime } = statSync(path)
      writeFileSync(`${path}.1.gz`, gzipSync(readFileSync(path)))
      utimesSync(`${path}.1.gz`, atime, mtime)
      unlinkSync(path)
    },
    'it was renamed twice': (path) => renameSync(path, `${path}.2`),
  }
  for (const [what, move] of Object.entries(moves)) {
    await t.test(what, async (t) => {
      const rig = new LogRig(t)
      const lines = call(1, 4)
      rig.write(lines.slice(0, 3))
      await rig.start()
      await rig.settle()
      await rig.kill()
      rig.write(lines.slice(3, 5))
      move(rig.path)
      await wait(10)
      if (what === 'it was renamed twice') rig.write(lines.slice(5, 7), `${rig.path}.1`)
      else rig.write(lines.slice(5, 7))
      await wait(10)
      rig.write([...lines.slice(7), ...call(2, 1)])
      await rig.start()
      await rig.settle()
      await rig.settle()
      assert.deepEqual(rig.told(), ['1 exact deleted 400', '2 exact deleted 100'])
      assert.deepEqual(rig.gaps(), [])
    })
  }
})

test('[R42] a file that is renamed is read to its end, then the new one', async (t) => {
  const rig = new LogRig(t)
  const lines = call(1, 6)
  rig.write(lines.slice(0, 2))
  await rig.start()
  await rig.settle()
  renameSync(rig.path, `${rig.path}.1`)
  writeFileSync(rig.path, '')
  await rig.settle()
  // Who writes it does not know of that yet.
  rig.write(lines.slice(2, 5), `${rig.path}.1`)
  await rig.settle()
  rig.write(lines.slice(5, 7), `${rig.path}.1`)
  rig.write(lines.slice(7))
  await rig.settle()
  await rig.settle()
  assert.deepEqual([rig.told(), rig.gaps()], [['1 exact deleted 600'], []])
})

test('[R40, R42] a half line at the end of a file that is over is damage', async (t) => {
  const rig = new LogRig(t)
  const lines = call(1, 2)
  rig.write(lines.slice(0, 2))
  appendFileSync(rig.path, rig.line(lines[2]!).slice(0, -9))
  await rig.start()
  await rig.settle()
  assert.deepEqual(rig.gaps(), [])
  renameSync(rig.path, `${rig.path}.1`)
  rig.write(lines.slice(3))
  await rig.settle()
  await rig.settle()
  assert.deepEqual([rig.told(), rig.gaps()], [['1 lower_bound deleted 200'], ['damage']])
})

test('[R42] a file that is cut is a gap, whether its copy is found or not', async (t) => {
  for (const hasCopy of [true, false]) {
    const rig = new LogRig(t)
    const lines = call(1, 6)
    rig.write(lines.slice(0, 4))
    await rig.start()
    await rig.settle()
    await rig.kill()
    rig.write(lines.slice(4, 6))
    if (hasCopy) copyFileSync(rig.path, `${rig.path}.1`)
    truncateSync(rig.path)
    await wait(10)
    rig.write([...lines.slice(6), ...call(2, 9)])
    await rig.start()
    await rig.settle()
    await rig.settle()
    const sum = hasCopy ? 600 : 500
    assert.deepEqual(rig.told(), [`1 lower_bound deleted ${sum}`, '2 exact deleted 900'])
    assert.deepEqual(rig.gaps(), ['rotation'])
  }
})

/** As coturn writes it without `new-log-timestamp`: nothing tells what was read before. */
const undated = (lines: readonly string[]) => lines.map((text) => `12: : ${text}\n`).join('')

test('[R42] after a cut an older copy is not read again', async (t) => {
  const rig = new LogRig(t)
  const lines = call(1, 3)
  writeFileSync(rig.path, undated(lines.slice(0, 3)))
  await rig.start()
  await rig.settle()
  await wait(10)
  copyFileSync(rig.path, `${rig.path}.1`)
  appendFileSync(rig.path, undated(lines.slice(3, 5)))
  await rig.settle()
  truncateSync(rig.path)
  appendFileSync(rig.path, undated(lines.slice(5)))
  await rig.settle()
  await rig.settle()
  assert.deepEqual([rig.told(), rig.gaps()], [['1 lower_bound deleted 300'], ['rotation']])
})

test('[R42] a file that is being packed is not read beside itself', async (t) => {
  const rig = new LogRig(t)
  const lines = call(1, 3)
  writeFileSync(rig.path, undated(lines.slice(0, 3)))
  await rig.start()
  await rig.settle()
  renameSync(rig.path, `${rig.path}.1`)
  await wait(10)
  const packed = gzipSync(readFileSync(`${rig.path}.1`))
  writeFileSync(`${rig.path}.1.gz`, packed.subarray(0, packed.length - 20))
  await rig.settle()
  writeFileSync(rig.path, undated(lines.slice(3)))
  await rig.settle()
  await rig.settle()
  assert.deepEqual([rig.told(), rig.gaps()], [['1 exact deleted 300'], []])
})

test('[R42] at whatever moment a file is rotated, all of it is read', async (t) => {
  const rig = new LogRig(t)
  rig.pace = { ...rig.pace, pollMs: 0, retryMs: 0 }
  const lines = call(1, 100)
  rig.write(lines.slice(0, 1))
  await rig.start()
  await rig.settle()
  // Each takes about as long as a step of the reader, which looks all the while.
  const turns = async (count: number) => {
    for (let turn = 0; turn < count; turn++) await stat(rig.path)
  }
  const rotate = (i: number) => {
    rig.write(lines.slice(i, i + 1))
    // In life they are further apart than the clock of the file system can tell.
    utimesSync(rig.path, i, i)
    renameSync(rig.path, `${rig.path}.${10_000 - i}`)
    rig.write(lines.slice(i + 1, i + 2))
  }
  for (let i = 1; i + 4 < lines.length; i += 4) {
    await rig.settle()
    await turns(i % 7)
    rotate(i)
    await turns(i % 5)
    rotate(i + 2)
  }
  await rig.settle()
  rig.write(lines.slice(-1))
  await rig.settle()
  await rig.settle()
  assert.deepEqual([rig.told(), rig.gaps()], [['1 exact deleted 10000'], []])
})

test('[R42] a file that is cut and grows on beyond what was read does not pass for the old one', async (t) => {
  const rig = new LogRig(t)
  rig.write(call(1, 1, false))
  await rig.start()
  await rig.settle()
  // At once, as far as anyone who looks now and then can see.
  const next = [...call(2, 20), ...call(3, 1)].map((text) => rig.line(text)).join('')
  writeFileSync(rig.path, next)
  await rig.settle()
  await rig.settle()
  assert.deepEqual(rig.told(), ['1 lower_bound open 100', '2 exact deleted 2000', '3 exact deleted 100'])
  assert.deepEqual(rig.gaps(), ['rotation'])
})

test('[R42] when the place is nowhere that is a gap, and nothing is read twice', async (t) => {
  const rig = new LogRig(t)
  rig.write([...call(1, 2), ...call(2, 1, false)])
  await rig.start()
  await rig.settle()
  await rig.kill()
  // Somebody has edited it: it is not what it was, and holds much that was read.
  writeFileSync(rig.path, `# kept for later\n${readFileSync(rig.path, 'utf8')}`)
  rig.write([...call(2, 2).slice(1), ...call(3, 1)])
  await rig.start()
  await rig.settle()
  assert.deepEqual(rig.told(), ['1 exact deleted 200', '2 lower_bound deleted 300', '3 exact deleted 100'])
  assert.deepEqual(rig.gaps(), ['rotation'])
})

test('[R42] a file that begins alike is known by what stands in front of the place', async (t) => {
  const rig = new LogRig(t)
  rig.write([...call(1, 20), ...call(2, 1, false)])
  await rig.start()
  await rig.settle()
  await rig.kill()
  const text = readFileSync(rig.path, 'utf8')
  writeFileSync(rig.path, text.replace(/rp=3(?=[^=]*=300[^=]*=4[^=]*=400\n$)/, 'rp=4'))
  rig.write(call(2, 2).slice(3))
  await rig.start()
  await rig.settle()
  assert.deepEqual(rig.told(), ['1 exact deleted 2000', '2 lower_bound deleted 200'])
  assert.deepEqual(rig.gaps(), ['rotation'])
})

test('[R42, R43] a log that is not there, is none or may not be read is told of once, and nothing in it ends', async (t) => {
  const rig = new LogRig(t)
  await rig.start()
  await rig.settle()
  assert.deepEqual(kinds(rig), ['log unseen'])
  mkdirSync(rig.path)
  await rig.settle()
  assert.deepEqual(rig.status.log?.why, 'it is no file')
  rmSync(rig.path, { recursive: true })
  rig.write(call(1, 1, false))
  await rig.settle()
  assert.equal(rig.status.log?.why, null)
  await rig.kill()
  renameSync(rig.path, join(rig.folder, 'elsewhere'))
  rig.notices.length = 0
  await rig.start()
  await rig.settle()
  rig.now += 3_600_000
  await rig.settle()
  assert.deepEqual(kinds(rig), ['log unseen'])
  assert.deepEqual(rig.told(), ['1 lower_bound open 100'])
  renameSync(join(rig.folder, 'elsewhere'), rig.path)
  await rig.settle()
  rig.now += 3_600_000
  await rig.settle()
  assert.deepEqual([rig.told(), rig.gaps()], [['1 lower_bound expired 100'], []])
})

/** What may not be read by others is read by root all the same. */
async function asNobody(run: () => Promise<void>): Promise<void> {
  const isRoot = process.geteuid!() === 0
  if (isRoot) process.seteuid!(65534)
  try {
    await run()
  } finally {
    if (isRoot) process.seteuid!(0)
  }
}

test('[R42, R43] while the next file may not be read time waits, and then nothing was lost', async (t) => {
  const rig = new LogRig(t)
  chmodSync(rig.folder, 0o755)
  const lines = call(1, 3)
  rig.write(lines.slice(0, 3))
  await rig.start()
  await rig.settle()
  renameSync(rig.path, `${rig.path}.1`)
  rig.write(lines.slice(3, 5), `${rig.path}.1`)
  rig.write(lines.slice(5))
  chmodSync(rig.path, 0)
  await asNobody(async () => {
    await rig.settle()
    rig.now += 3_600_000
    await rig.settle()
  })
  assert.deepEqual([rig.told(), rig.status.log?.why], [['1 lower_bound open 200'], 'it cannot be read (EACCES)'])
  assert.equal(kinds(rig).filter((kind) => kind === 'log unseen').length, 1)
  chmodSync(rig.path, 0o644)
  await rig.settle()
  await rig.settle()
  assert.deepEqual([rig.told(), rig.gaps()], [['1 exact deleted 300'], []])
})

test('[R42] a pattern names files that follow each other', async (t) => {
  const rig = new LogRig(t, 'turn_*.log')
  const lines = call(1, 6)
  const file = (name: string) => join(rig.folder, `turn_${name}.log`)
  rig.write(lines.slice(0, 3), file('907_2026-11-22'))
  await wait(10)
  rig.write(lines.slice(3, 5), file('12_2026-11-23'))
  writeFileSync(join(rig.folder, 'other.log'), rig.line('session 000000000000000009: delete: realm=<r>, username=<o>'))
  await rig.start()
  await rig.settle()
  await rig.settle()
  await wait(10)
  rig.write(lines.slice(5, 8), file('12_2026-11-24'))
  await rig.settle()
  await rig.settle()
  await rig.kill()
  await wait(10)
  rig.write(lines.slice(8, 9), file('12_2026-11-24'))
  await wait(10)
  rig.write(lines.slice(9), file('12_2026-11-25'))
  await rig.start()
  await rig.settle()
  await rig.settle()
  assert.deepEqual([rig.told(), rig.gaps()], [['1 exact deleted 600'], []])
})

test('[R42] a file that goes on beside a later one is told of, never read again, and what is open is not exact', async (t) => {
  const rig = new LogRig(t, 'turn_*.log')
  const file = (name: string) => join(rig.folder, `turn_${name}.log`)
  rig.write(call(1, 2, false), file('1'))
  await wait(10)
  rig.write(call(2, 2, false), file('2'))
  await rig.start()
  await rig.settle()
  await rig.settle()
  await wait(10)
  rig.write(call(1, 3).slice(5), file('1'))
  await rig.settle()
  await wait(10)
  rig.write(call(2, 3).slice(5), file('2'))
  await rig.settle()
  await rig.settle()
  assert.deepEqual(rig.told(), ['1 lower_bound open 200', '2 lower_bound deleted 300'])
  assert.deepEqual(rig.notices.filter(({ kind }) => kind === 'log forked').length, 1)
})
