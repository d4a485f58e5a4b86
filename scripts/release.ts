// npm run release: fettle as others install it, in `dist/` and as a file for npm. Nothing in it is read from
// elsewhere: what fettle uses is in it, so it needs a Node and no network. It also starts sooner: few files are read.

import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type ChunkingContext, type Plugin, rolldown } from 'rolldown'
import { buildConsole } from './console.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const cli = join(root, 'packages/cli')
const read = (path: string) => readFileSync(join(root, path), 'utf8')

/** Makes the package in this folder, in place of what is there. */
export async function release(folder: string): Promise<void> {
  await buildConsole()
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(join(folder, 'bin'), { recursive: true })
  const bundle = await rolldown({
    input: { main: join(cli, 'src/main.ts') },
    platform: 'node',
    preserveEntrySignatures: 'allow-extension',
    plugins: [besides(folder), whenUsed],
    onLog(_, { code, message }) {
      // Of libraries; nobody here can do anything about it.
      if (code !== 'EVAL' && code !== 'CIRCULAR_DEPENDENCY') throw new Error(message)
    },
  })
  const { output } = await bundle.write({
    dir: join(folder, 'lib'),
    // An import of a part of Node loads all that hangs on it, down to what a console needs; require leaves that out.
    format: 'cjs',
    entryFileNames: '[name].js',
    chunkFileNames: '[name].js',
    codeSplitting: { groups: [{ name: atOnce, debugName: 'at once', includeDependenciesRecursively: false }] },
  })
  compileWhole(join(folder, 'lib'))
  const modules = output.flatMap((chunk) => (chunk.type === 'chunk' ? chunk.moduleIds : []))
  writeFileSync(join(folder, 'THIRD-PARTY.txt'), notices(modules))
  const launcher = replaced(read('packages/cli/bin/fettle.js'), "'../src/main.ts'", "'../lib/main.js'")
  writeFileSync(join(folder, 'bin/fettle.js'), launcher, { mode: 0o755 })
  for (const name of ['README.md', 'LICENSE', 'CHANGELOG.md', 'docs']) {
    cpSync(join(root, name), join(folder, name), { recursive: true })
  }
  const { name, version, description, license, bin } = JSON.parse(read('packages/cli/package.json'))
  const about = { name, version, description, license, type: 'commonjs', bin, engines: { node: '>=24.15' } }
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(about, null, 2)}\n`)
}

/**
 * What a module finds beside itself goes with it, by the place it names: threads, as files of their own, and folders
 * and files, which are copied.
 */
function besides(folder: string): Plugin {
  return {
    name: 'besides',
    transform(code, id) {
      const place = /new URL\(\s*(['`])(\.[^'`$]*)([^'`]*)\1,\s*import\.meta\.url\s*\)/g
      const text = code.replaceAll(place, (_, quote: string, path: string, rest: string) => {
        const target = resolve(dirname(id), path)
        if (!target.startsWith(root)) throw new Error(`${id}: ${path} is no file of fettle`)
        if (path.endsWith('.ts')) {
          const fileName = `${basename(path, '.ts')}.js`
          this.emitFile({ type: 'chunk', id: target, fileName })
          return `new URL('./${fileName}', import.meta.url)`
        }
        const copy = relative(root, target)
        cpSync(target, join(folder, copy), { recursive: true })
        return `new URL(${quote}../${copy}${rest === '' ? '' : `/${rest}`}${quote}, import.meta.url)`
      })
      if (
        id.startsWith(join(root, 'packages')) &&
        text.replaceAll(/new URL\([^)]*import\.meta\.url\)/g, '').includes('import.meta.url')
      ) {
        throw new Error(`${id}: what it finds beside itself cannot be seen; write new URL('./...', import.meta.url)`)
      }
      return text === code ? undefined : { code: text, map: null }
    },
  }
}

/**
 * What Node keeps of a file that it has compiled (module.enableCompileCache) is made when that is loaded: without the
 * functions that are compiled when they are first called, which are compiled anew at each start. Of writing two
 * thousand files that took a tenth. So all of zip.js is compiled when it is loaded.
 */
function compileWhole(lib: string): void {
  const zip = readFileSync(join(lib, 'zip.js'), 'utf8')
  // What is of Node is kept as it is: it is loaded before.
  const needed = Array.from(zip.matchAll(/^let \w+ = (require\("node:[^"]+"\));$/gm), ([, one]) => `${one};\n`)
  const load = `const { getCompileCacheDir } = require('node:module');
const { setFlagsFromString } = require('node:v8');
if (getCompileCacheDir() !== undefined) setFlagsFromString('--no-lazy');
try { module.exports = require('./zip.js'); } finally { setFlagsFromString('--lazy'); }
`
  writeFileSync(join(lib, 'zip-whole.js'), `${needed.join('')}${load}`)
  for (const name of ['main.js', 'worker.js']) {
    const text = replaced(readFileSync(join(lib, name), 'utf8'), 'require("./zip.js")', 'require("./zip-whole.js")')
    writeFileSync(join(lib, name), text)
  }
}

function replaced(text: string, from: string, to: string): string {
  if (!text.includes(from)) throw new Error(`there is no ${from} any more`)
  return text.replace(from, to)
}

const SPAWN = "import childProcess from 'node:child_process';"

/** commander can start programs such as `fettle-relay`, of which we have none: what it needs for that takes 5 ms. */
const whenUsed: Plugin = {
  name: 'when used',
  transform(code, id) {
    if (!id.endsWith('/commander/lib/command.js')) return undefined
    const spawn = "(...given) => process.getBuiltinModule('node:child_process').spawn(...given)"
    return { code: replaced(code, SPAWN, `const childProcess = { spawn: ${spawn} };`), map: null }
  },
}

/**
 * What `fettle zip` loads at once is one file, and what all commands have in common another. Each file is searched for,
 * and what one uses of another is looked up by a function each time: that took a tenth of what it takes to write two
 * thousand files.
 */
function atOnce(id: string, modules: ChunkingContext): string | null {
  const file = Object.keys(AT_ONCE).find((name) => reached(AT_ONCE[name]!, modules).has(id))
  return file ?? null
}

/** By the file of the release, packages that it is made of. */
const AT_ONCE: Readonly<Record<string, readonly string[]>> = { common: ['check', 'report'], zip: ['zip'] }

/** The modules of these packages that are loaded with them, without those that are imported when they are needed. */
function reached(packages: readonly string[], modules: ChunkingContext): ReadonlySet<string> {
  const folders = packages.map((name) => join(root, 'packages', name, 'src/'))
  const all = new Set<string>()
  const add = (one: string) => {
    if (all.has(one) || !folders.some((folder) => one.startsWith(folder))) return
    all.add(one)
    modules.getModuleInfo(one)?.importedIds.forEach(add)
  }
  for (const folder of folders) add(join(folder, 'index.ts'))
  return all
}

/** The licenses of what others wrote and is in the release, as these ask. `modules`: the files that are in it. */
function notices(modules: readonly string[]): string {
  const page = Object.keys(JSON.parse(read('packages/console/package.json')).devDependencies)
  const names = new Set(page.filter((name) => name !== 'vite' && !name.startsWith('@fettle/')))
  for (const id of modules) {
    const [, name] = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(id) ?? []
    if (name !== undefined) names.add(name)
  }
  return [...names].sort().map(noticeOf).join('\n')
}

function noticeOf(name: string): string {
  const folder = join(root, 'node_modules', name)
  const { version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry))
  const text = file === undefined ? `${license}\n` : readFileSync(join(folder, file), 'utf8')
  return `== ${name} ${version}, ${license}\n\n${text.trim()}\n`
}

/** The package as one file for npm. Returns its path. */
export function pack(folder: string): string {
  const { stdout, stderr, status } = spawnSync('npm', ['pack', '--pack-destination', folder, '--json'], {
    cwd: folder,
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`npm pack: ${stderr}`)
  return join(folder, JSON.parse(stdout)[0].filename)
}

if (import.meta.main) {
  const folder = join(root, 'dist')
  await release(folder)
  console.log(`npm install -g ${relative(process.cwd(), pack(folder))}`)
}
