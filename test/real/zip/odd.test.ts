/** What becomes of archives that are odd, that are broken, or that mean harm. */
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Ground } from '../harness.ts'
import { codes } from './codes.ts'
import { type Extracted, extractWithFettle, type Thing, thingsIn } from './extracting.ts'
import type { Odd, Verdict } from './odd.ts'
import { oddContents } from './odd-contents.ts'
import { oddEnds, whole } from './odd-ends.ts'
import { oddNames } from './odd-names.ts'

const CANARY = 'this is not to be written over'
process.umask(0o022)

interface Ran {
  readonly said: Extracted
  readonly things: ReadonlyMap<string, Thing>
  /** What there is beside the folder. */
  readonly beside: readonly string[]
}

/** Deep within a folder, so that a name that leads out leads to where it is seen. */
async function extract(t: TestContext, bytes: Uint8Array, flags: readonly string[] = []): Promise<Ran> {
  const ground = new Ground(t)
  const around = join(ground.folder, 'around')
  const home = join(around, 'home')
  mkdirSync(home, { recursive: true })
  writeFileSync(join(around, 'evil'), CANARY)
  const archive = join(ground.folder, 'odd.zip')
  writeFileSync(archive, bytes)
  const said = await extractWithFettle(archive, join(home, 'out'), ...flags)
  assert.equal(readFileSync(join(around, 'evil'), 'utf8'), CANARY)
  const all = thingsIn(around)
  const isBeside = (path: string) => path !== 'home' && path !== 'home/out' && !path.startsWith('home/out/')
  return { said, things: thingsIn(join(home, 'out')), beside: [...all.keys()].filter(isBeside) }
}

function check({ said, things, beside }: Ran, verdict: Verdict): void {
  const { written = {}, links = {}, folders = [], modes = {}, told = [], cannot } = verdict
  assert.deepEqual(beside, ['evil'], 'nothing is written beside the folder')
  if (cannot !== undefined) {
    assert.equal(said.status, 3, said.output)
    assert.equal(said.complaints.length, 1, said.complaints.join('\n'))
    assert.match(said.complaints[0]!, cannot)
    assert.deepEqual([...things.keys()], [])
    return
  }
  const tell = said.findings.map(({ code, subject, says }) => `${code} ${subject}: ${says}`).join('\n')
  const bytesOf = (kind: Thing['kind']) => [...things].filter(([, thing]) => thing.kind === kind).map(([path]) => path)
  assert.deepEqual(bytesOf('file').sort(), Object.keys(written).sort(), tell)
  for (const [path, content] of Object.entries(written)) {
    assert.ok(Buffer.from(content as string).equals(things.get(path)!.content!), `what is in ${path}`)
  }
  for (const [path, mode] of Object.entries(modes)) assert.equal(things.get(path)!.mode!.toString(8), mode.toString(8))
  assert.deepEqual(
    new Map(bytesOf('link').map((path) => [path, things.get(path)!.target])),
    new Map(Object.entries(links)),
  )
  for (const path of folders) assert.equal(things.get(path)?.kind, 'folder', path)
  const found = new Set(said.findings.map(({ code }) => code))
  for (const { code, severity } of said.findings) {
    assert.equal(severity === 'note', codes[code as keyof typeof codes] === 'note', `${code} is a ${severity}`)
  }
  for (const code of told) assert.ok(found.has(code), `${code} is not told:\n${tell}`)
  const loud = said.findings.filter(({ severity, code }) => severity !== 'note' && !told.includes(code as never))
  assert.deepEqual(loud, [])
  assert.equal(said.status, told.some((code) => codes[code] !== 'note') ? 1 : 0)
}

async function examine(t: TestContext, cases: readonly Odd[]): Promise<void> {
  for (const one of cases)
    await t.test(one.name, async (t) => check(await extract(t, one.make(), one.flags), one.expect))
}

test('odd names, links and modes [Z6, Z7, Z9, Z15, Z16]', (t) => examine(t, oddNames))
test('odd contents, headers and places [Z1, Z11, Z12, Z18]', (t) => examine(t, oddContents))
test('odd ends and directories [Z1, Z2, Z3]', (t) => examine(t, oddEnds))

test('an archive that is cut off anywhere is one that cannot be looked at [Z3]', async (t) => {
  const ground = new Ground(t)
  const archive = join(ground.folder, 'cut.zip')
  const folder = join(ground.folder, 'out')
  // Its last bytes are those of a comment: without some of them it is whole all the same.
  for (let length = 0; length < whole.length - 'a comment'.length; length++) {
    writeFileSync(archive, whole.subarray(0, length))
    const { status, complaints } = await extractWithFettle(archive, folder)
    assert.equal(status, 3, `of ${length} bytes`)
    assert.equal(complaints.length, 1)
    assert.deepEqual([...thingsIn(folder).keys()], [])
  }
})
