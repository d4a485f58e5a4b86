// The project as data: what the house rules look at.

import { readdirSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { imports, lineAt } from './source.ts'

/** Path from the root, with `/`, to text. What is no text is there with an empty one, so that links to it lead somewhere. */
export type Files = ReadonlyMap<string, string>

/** A house rule. `faults` is pure: `path:line: what is wrong`, one a line; no fault, no line. */
export interface Rule {
  readonly name: string
  faults(files: Files): string[]
}

export interface Manifest {
  readonly name: string
  readonly exports?: unknown
  readonly bin?: Readonly<Record<string, string>>
  readonly files?: readonly string[]
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

/** What an import leads to. */
export type Target =
  | { readonly kind: 'file'; readonly path: string } // by a relative path
  | { readonly kind: 'package'; readonly folder: string; readonly path: string | undefined } // one of ours, by name
  | { readonly kind: 'foreign'; readonly name: string } // from npm
  | { readonly kind: 'node' }

export interface Edge {
  readonly from: string
  readonly line: number
  readonly specifier: string
  readonly by: 'import' | 'address'
  readonly typeOnly: boolean
  readonly target: Target
}

/** As in .gitignore. */
const leftOut = /^(?:node_modules|\.git|coverage|data|dist(?:-.*)?|.*\.(?:log|tsbuildinfo))$/
const largestText = 1_000_000

export function readProject(root: string, folder = ''): Map<string, string> {
  const files = new Map<string, string>()
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = posix.join(folder, entry.name)
    if (leftOut.test(entry.name)) continue
    if (entry.isDirectory()) for (const [inner, text] of readProject(root, path)) files.set(inner, text)
    if (entry.isFile()) files.set(path, readText(join(root, path)))
  }
  return files
}

function readText(path: string): string {
  const bytes = readFileSync(path)
  return bytes.length > largestText || bytes.includes(0) ? '' : bytes.toString('utf8')
}

export function isCode(path: string): boolean {
  return /\.(?:ts|js|mjs|cjs|tsx)$/.test(path)
}

/** Tests and what only tests use. */
export function isTest(path: string): boolean {
  return /\.test\.ts$|(?:^|\/)test\//.test(path)
}

/** `packages/relay` for everything inside it; undefined for what belongs to the root. */
export function packageOf(path: string): string | undefined {
  return /^packages\/[^/]+(?=\/)/.exec(path)?.[0]
}

export function manifest(files: Files, folder: string): Manifest | undefined {
  const text = files.get(posix.join(folder, 'package.json'))
  return text === undefined ? undefined : JSON.parse(text)
}

/** The folders of our packages, by the name one imports them by. */
export function packages(files: Files): Map<string, string> {
  const found = new Map<string, string>()
  for (const path of files.keys()) {
    const folder = /^(packages\/[^/]+)\/package\.json$/.exec(path)?.[1]
    if (folder !== undefined) found.set(manifest(files, folder)!.name, folder)
  }
  return found
}

/** Every import of every code file. */
export function edges(files: Files): Edge[] {
  const ours = packages(files)
  const found: Edge[] = []
  for (const [from, text] of files) {
    if (!isCode(from)) continue
    for (const entry of imports(text)) {
      found.push({ from, ...entry, target: targetOf(files, ours, from, entry.specifier) })
    }
  }
  return found
}

function targetOf(files: Files, ours: ReadonlyMap<string, string>, from: string, specifier: string): Target {
  if (specifier.startsWith('node:')) return { kind: 'node' }
  if (specifier.startsWith('.')) return { kind: 'file', path: posix.join(posix.dirname(from), specifier) }
  const name = /^(?:@[^/]+\/)?[^/]*/.exec(specifier)![0]
  const folder = ours.get(name)
  if (folder === undefined) return { kind: 'foreign', name }
  return { kind: 'package', folder, path: exported(files, folder, `.${specifier.slice(name.length)}`) }
}

/** The file that a package offers under `.` or `./api`; undefined if it offers none. */
function exported(files: Files, folder: string, entry: string): string | undefined {
  const offered = manifest(files, folder)?.exports as Readonly<Record<string, string>> | undefined
  const path = offered?.[entry]
  return path === undefined ? undefined : posix.join(folder, path)
}

/** The files through which the outside enters a package: what its manifest exports, its programs, what its page runs. */
export function entries(files: Files, folder: string): string[] {
  const { exports = {}, bin = {} } = manifest(files, folder) ?? {}
  const scripts = (files.get(posix.join(folder, 'index.html')) ?? '').matchAll(/<script\b[^>]*\bsrc="([^"]+)"/g)
  const run = Array.from(scripts, ([, path]) => path!)
  return [...Object.values(exports as Readonly<Record<string, string>>), ...Object.values(bin), ...run].map((path) =>
    posix.join(folder, path),
  )
}

/** Every match of the pattern in the text as `path:line: ...`. */
export function found(path: string, text: string, pattern: RegExp, say: (match: RegExpExecArray) => string): string[] {
  return [...text.matchAll(pattern)].map((match) => `${path}:${lineAt(text, match.index)}: ${say(match)}`)
}
