/** What `npm run release` makes, installed as anybody would and without a network. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { crc32 } from 'node:zlib'
import { pack, release } from '../../../scripts/release.ts'
import { exitOf, find, Ground } from '../harness.ts'

/** Tests that need threads of their own, files beside the program, and libraries that load others as they go. */
const TRIED = ['test/real/relay/sink-note.test.ts', 'test/real/console/reports.test.ts']

test('a release: installed from one file, it does what the sources do, and nothing of it is elsewhere', async (t) => {
  const ground = new Ground(t)
  const folder = join(ground.folder, 'release')
  await release(folder)
  const prefix = join(ground.folder, 'prefix')
  const install = ['install', '--global', '--offline', '--no-audit', '--no-fund', '--prefix', prefix, pack(folder)]
  const npm = ground.start('npm', install, { npm_config_cache: join(ground.folder, 'cache') })
  assert.equal(await exitOf(npm, 60), 0, npm.output)
  const launcher = realpathSync(join(prefix, 'bin/fettle'))
  const run = async (...words: string[]) => {
    const running = ground.start(process.execPath, [launcher, ...words])
    return { status: await exitOf(running, 30), output: running.output }
  }

  const [, commands = ''] = (await run('--help')).output.split('Commands:\n')
  const names = Array.from(commands.matchAll(/^ {2}(\w+) {2,}/gm), ([, name]) => name!)
  assert(names.length >= 5, names.join())
  for (const name of names) {
    const { status, output } = await run(name, '--help')
    assert.equal(status, 0, output)
    assert.match(output, new RegExp(`^Usage: fettle ${name} `))
  }

  // A thread of an archive's is a file of its own.
  const contents = Array.from({ length: 3000 }, (_, i) => Buffer.from(`${i}\n`.repeat(i % 50)))
  const script = 'import sys, zipfile\nwith zipfile.ZipFile("a.zip", "w", zipfile.ZIP_DEFLATED) as z:\n'
  const body = ' for i in range(3000): z.writestr("d/%d" % i, ("%d\\n" % i) * (i % 50))\n'
  assert.equal(await exitOf(ground.start(find('python3'), ['-c', script + body])), 0)
  const extracted = await run('zip', 'extract', 'a.zip', '-d', 'out', '--threads', '2')
  assert.equal(extracted.status, 0, extracted.output)
  for (const [i, content] of contents.entries()) {
    assert.equal(crc32(readFileSync(join(ground.folder, 'out/d', String(i)))), crc32(content))
  }

  // All functions of what zip loads are in what Node keeps of it, so none is compiled anew.
  const start = async () => {
    const asked = { NODE_COMPILE_CACHE: join(ground.folder, 'compiled'), NODE_DEBUG_NATIVE: 'COMPILE_CACHE' }
    const running = ground.start(process.execPath, [launcher, 'zip', 'list', 'a.zip', '--names'], asked)
    assert.equal(await exitOf(running, 30), 0, running.complaints)
    return running.complaints
  }
  await start()
  const kept = await start()
  assert.match(kept, /V8 code cache for CommonJS \S+\/lib\/zip\.js was accepted/)
  const size = Number(/\/lib\/zip\.js\.\.\..* success, size=(\d+)/.exec(kept)![1])
  assert.ok(size > readFileSync(join(folder, 'lib/zip.js')).length, `${size} bytes are kept of zip.js`)

  const real = ground.start(
    process.execPath,
    ['--test', ...TRIED.map((file) => join(import.meta.dirname, '../../..', file))],
    {
      FETTLE_LAUNCHER: launcher,
      // With it node would run no test inside of a test.
      NODE_TEST_CONTEXT: undefined,
    },
  )
  assert.equal(await exitOf(real, 240), 0, real.output)
  assert.match(real.output, /^ℹ pass [1-9]/m)

  // What it reads there would not be there elsewhere.
  const root = join(import.meta.dirname, '../../..')
  for (const file of readdirSync(join(folder, 'lib'))) {
    assert(!readFileSync(join(folder, 'lib', file), 'utf8').includes(`${root}/`), `${file} names ${root}`)
  }
})
