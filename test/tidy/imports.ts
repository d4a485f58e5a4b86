// Who may import whom.

import { posix } from 'node:path'
import {
  type Edge,
  edges,
  entries,
  type Files,
  found,
  isCode,
  isTest,
  manifest,
  packageOf,
  packages,
  type Rule,
} from './project.ts'
import { scan } from './source.ts'

/** Which packages a package may import. A new package gets its line here, and ARCHITECTURE.md its arrow. */
const arrows: Readonly<Record<string, readonly string[]>> = {
  check: ['report'],
  cli: ['check', 'redis', 'relay', 'report', 'ssh', 'zip'],
  console: ['relay'],
  estimate: [],
  redis: ['check', 'estimate', 'report'],
  relay: ['check', 'report'],
  report: ['estimate'],
  ssh: ['check', 'estimate', 'report'],
  zip: ['check', 'report'],
}

export const arrowsRule: Rule = {
  name: 'packages import each other only along the arrows',
  faults(files) {
    return edges(files).flatMap((edge) => {
      const importer = packageOf(edge.from)
      if (importer === undefined || edge.target.kind !== 'package' || edge.target.folder === importer) return []
      const [from, to] = [posix.basename(importer), posix.basename(edge.target.folder)]
      return arrows[from]?.includes(to) ? [] : [at(edge, `${from} may not import ${to}`)]
    })
  },
}

export const declaredRule: Rule = {
  name: 'what is imported is declared in the own package.json',
  faults(files) {
    return edges(files).flatMap((edge) => {
      const { target } = edge
      if (target.kind !== 'foreign' && target.kind !== 'package') return []
      const importer = packageOf(edge.from)
      if (target.kind === 'package' && (importer === undefined || importer === target.folder)) return []
      const name = target.kind === 'foreign' ? target.name : manifest(files, target.folder)!.name
      return declared(files, edge.from).has(name) ? [] : [at(edge, `${name} is not declared`)]
    })
  },
}

/**
 * Tests, and what belongs to the root, may use the development dependencies of the root. A package that hands out
 * nothing but what was built needs at run time only what was built in: all it uses is for its development.
 */
function declared(files: Files, path: string): Set<string> {
  const folder = packageOf(path)
  const own = folder === undefined ? undefined : manifest(files, folder)
  const root = manifest(files, '')
  const isBuilt = own?.files?.join() === 'dist'
  const forTests = isTest(path) ? { ...own?.devDependencies, ...root?.devDependencies } : {}
  const forRoot = folder === undefined ? root?.devDependencies : {}
  const forBuild = isBuilt ? own.devDependencies : {}
  return new Set(Object.keys({ ...own?.dependencies, ...forBuild, ...forTests, ...forRoot }))
}

export const pageRule: Rule = {
  name: 'a page takes only types from other packages: what it needs of them comes over the network',
  faults(files) {
    return edges(files).flatMap((edge) => {
      const folder = packageOf(edge.from)
      const isPage = folder !== undefined && files.has(`${folder}/index.html`) && edge.from.startsWith(`${folder}/src/`)
      const { target, typeOnly } = edge
      if (!isPage || target.kind !== 'package' || target.folder === folder || typeOnly) return []
      return [at(edge, `${edge.specifier} is imported as more than types`)]
    })
  },
}

export const wallsRule: Rule = {
  name: 'a package is entered through its exports only',
  faults(files) {
    return edges(files).flatMap((edge) => {
      const { target } = edge
      if (target.kind === 'package' && target.path === undefined) return [at(edge, `${edge.specifier} is not exported`)]
      if (target.kind !== 'file' || packageOf(target.path) === packageOf(edge.from)) return []
      if (edge.by === 'address' && (!isCode(target.path) || isEntry(files, target.path))) return []
      return [at(edge, `${edge.specifier} leads out of or into a package; import it by its name`)]
    })
  },
}

/** A test may start the program of a package by its path. */
function isEntry(files: Files, path: string): boolean {
  const folder = packageOf(path)
  return folder !== undefined && entries(files, folder).includes(path)
}

export const leadsSomewhereRule: Rule = {
  name: 'an import leads to a file that exists',
  faults(files) {
    return edges(files).flatMap((edge) => {
      const path = pathOf(edge)
      const exists = path === undefined || files.has(path) || (edge.by === 'address' && !isCode(path))
      return exists ? [] : [at(edge, `${path} does not exist`)]
    })
  },
}

export const cyclesRule: Rule = {
  name: 'no imports in a circle, types included',
  faults(files) {
    const graph = importGraph(files, ['import'])
    const left = new Set<string>() // files that no circle goes through
    const circles: string[] = []
    const visit = (path: string, way: readonly string[]): void => {
      if (left.has(path)) return
      if (way.includes(path)) {
        circles.push(`${path}:1: in a circle: ${[...way.slice(way.indexOf(path)), path].join(' -> ')}`)
        return
      }
      for (const next of graph.get(path) ?? []) visit(next, [...way, path])
      left.add(path)
    }
    for (const path of graph.keys()) visit(path, [])
    return circles
  },
}

export const deadFilesRule: Rule = {
  name: 'every source file is reached from what its package exports or runs',
  faults(files) {
    const graph = importGraph(files, ['import', 'address'])
    const reached = new Set<string>()
    const visit = (path: string): void => {
      if (reached.has(path)) return
      reached.add(path)
      for (const next of graph.get(path) ?? []) visit(next)
    }
    for (const folder of packages(files).values()) entries(files, folder).forEach(visit)
    return [...files.keys()]
      .filter((path) => /^packages\/[^/]+\/src\//.test(path) && isCode(path) && !isTest(path) && !reached.has(path))
      .map((path) => `${path}:1: nothing imports it`)
  },
}

/** Reading the clock is impure; `new Date(t)` and `Date.UTC(...)` only reckon with a time that is given. */
const clock = String.raw`new\s+Date\b(?!\s*\(\s*[^\s)])|(?<!\bnew\s+)Date\b(?!\s*\.\s*UTC\b)|performance`
const others = String.raw`Math\s*\.\s*random|process|Promise|async|await|globalThis|console|fetch|crypto|require`
const timers = 'queueMicrotask|set(?:Timeout|Interval|Immediate)'
/** Not `.process`, a property, but `...process`; and not `process:`, a key. */
const impure = new RegExp(String.raw`(?<!(?<!\.)\.)\b(?:${clock}|${others}|${timers})\b(?!\s*\??:)`, 'g')

export const coreRule: Rule = {
  name: 'core is pure: it imports core and pure packages only, and knows no clock, no chance, no process, no waiting',
  faults(files) {
    const imported = edges(files).flatMap((edge) => {
      const core = coreOf(edge.from)
      const { target } = edge
      const isPure = target.kind === 'package' && pure.includes(posix.basename(target.folder))
      const isOwn = target.kind === 'file' && target.path.startsWith(`${core}/`)
      return core === undefined || isPure || isOwn ? [] : [at(edge, `core may not import ${edge.specifier}`)]
    })
    const used = [...files].flatMap(([path, text]) =>
      coreOf(path) === undefined ? [] : found(path, scan(text).code, impure, ([word]) => `core may not use ${word}`),
    )
    return [...imported, ...used]
  },
}

/** Packages that are pure as a whole: core may import them, and they are held to its rules. */
const pure: readonly string[] = ['estimate', 'report']

/** The core folder a file belongs to: `packages/relay/src/core`. The tests beside the core do not. */
function coreOf(path: string): string | undefined {
  if (!isCode(path) || isTest(path)) return undefined
  const whole = /^packages\/([^/]+)\/src(?=\/)/.exec(path)
  if (whole !== null && pure.includes(whole[1]!)) return whole[0]
  return /^packages\/[^/]+\/src\/(?:.*\/)?core(?=\/)/.exec(path)?.[0]
}

function importGraph(files: Files, ways: readonly Edge['by'][]): Map<string, string[]> {
  const graph = new Map<string, string[]>()
  for (const edge of edges(files)) {
    const path = pathOf(edge)
    if (path !== undefined && ways.includes(edge.by)) graph.set(edge.from, [...(graph.get(edge.from) ?? []), path])
  }
  return graph
}

function pathOf({ target }: Edge): string | undefined {
  return target.kind === 'file' || target.kind === 'package' ? target.path : undefined
}

function at(edge: Edge, what: string): string {
  return `${edge.from}:${edge.line}: ${what}`
}
