// What is promised in prose: links that lead somewhere, decisions that can be found, rules that are tested.

import { posix } from 'node:path'
import { type Files, isCode, isTest, packageOf, type Rule } from './project.ts'
import { lineAt, scan } from './source.ts'

export const linksRule: Rule = {
  name: 'links in *.md lead to files and headings that exist',
  faults(files) {
    return [...files].filter(([path]) => path.endsWith('.md')).flatMap(([path, text]) => deadLinks(files, path, text))
  },
}

function deadLinks(files: Files, from: string, text: string): string[] {
  const prose = withoutCode(text)
  const pattern = /\]\(\s*<?([^)\s>]+)|^\[[^\]]+\]:\s*(\S+)|\b(?:href|src)="([^"]+)"/gm
  return [...prose.matchAll(pattern)].flatMap((match) => {
    const link = match[1] ?? match[2] ?? match[3]!
    if (/^[a-z][a-z0-9+.-]*:/i.test(link)) return []
    const [path = '', anchor] = link.split('#')
    const target = path === '' ? from : posix.join(posix.dirname(from), decodeURI(path)).replace(/\/$/, '')
    const place = `${from}:${lineAt(prose, match.index)}`
    if (!exists(files, target)) return [`${place}: ${link} leads nowhere`]
    const document = files.get(target)
    if (anchor === undefined || document === undefined || !target.endsWith('.md')) return []
    return headings(document).has(anchor) ? [] : [`${place}: ${target} has no heading #${anchor}`]
  })
}

function exists(files: Files, path: string): boolean {
  return path === '.' || files.has(path) || [...files.keys()].some((known) => known.startsWith(`${path}/`))
}

/** Blanks out fenced blocks and `inline code`, in which brackets mean something else. */
function withoutCode(text: string): string {
  return text.replace(/^( *)(```+|~~~+)[\s\S]*?^\1?\2|(`+)[^\n]*?\3/gm, (code) => code.replace(/[^\n]/g, ' '))
}

/** The anchors that GitHub gives to the headings of a document. */
function headings(text: string): Set<string> {
  const anchors = new Set<string>()
  for (const [, heading] of text.replace(/^```[\s\S]*?^```/gm, '').matchAll(/^#{1,6}\s+(.+?)\s*#*$/gm)) {
    const words = heading!.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase()
    const anchor = words.replace(/[^\p{L}\p{N}\s_-]/gu, '').replace(/\s/g, '-')
    let nth = 0
    while (anchors.has(nth === 0 ? anchor : `${anchor}-${nth}`)) nth += 1
    anchors.add(nth === 0 ? anchor : `${anchor}-${nth}`)
  }
  return anchors
}

export const decisionsRule: Rule = {
  name: 'decisions are numbered without a gap, have a title and stand in the index',
  faults(files) {
    const paths = [...files.keys()].filter((path) => path.startsWith('docs/decisions/')).sort()
    const index = files.get('docs/README.md') ?? ''
    return paths.flatMap((path, i) => {
      const name = posix.basename(path)
      const number = String(i + 1).padStart(4, '0')
      const faults: string[] = []
      if (!/^\d{4}-[a-z0-9-]+\.md$/.test(name)) faults.push(`${path}:1: not named like ${number}-what-was-decided.md`)
      else if (!name.startsWith(number)) faults.push(`${path}:1: should be number ${number}`)
      if (!/^# \S/.test(files.get(path)!)) faults.push(`${path}:1: does not begin with a title`)
      if (!index.includes(`(decisions/${name})`)) faults.push(`${path}:1: docs/README.md has no link to it`)
      return faults
    })
  },
}

export const promisesRule: Rule = {
  name: 'every rule in a README is cited by a test or a scenario, and every rule spoken of is in a README',
  faults(files) {
    const promised = [...files].flatMap(([path, text]) => promises(path, text))
    const cited = [...files].flatMap(([path, text]) => citations(path, text))
    const spoken = [...files].flatMap(([path, text]) => spokenOf(files, path, text))
    const twice = promised.filter((rule, i) => promised.findIndex(({ name }) => name === rule.name) !== i)
    return [
      ...twice.map(({ name, place }) => `${place}: rule ${name} is there twice`),
      ...missing(promised, cited).map(({ name, place }) => `${place}: no test or scenario cites rule ${name}`),
      ...missing([...cited, ...spoken], promised).map(({ name, place }) => `${place}: no README has rule ${name}`),
    ]
  },
}

interface Mention {
  readonly name: string
  readonly place: string
}

function missing(wanted: readonly Mention[], among: readonly Mention[]): Mention[] {
  const names = new Set(among.map(({ name }) => name))
  return wanted.filter(({ name }) => !names.has(name))
}

/** A promise is a line in a package's README that begins with its number in bold: **R1**. */
function promises(path: string, text: string): Mention[] {
  return isReadme(path) ? mentions(path, text, /^\*\*([A-Z]+\d+)\*\*/gm) : []
}

/** What looks like a rule's number, in the README itself or in the code of a package that makes such promises. */
function spokenOf(files: Files, path: string, text: string): Mention[] {
  const readme = `${packageOf(path)}/README.md`
  if (path !== readme && (!isCode(path) || isTest(path))) return []
  const letters = new Set(promises(readme, files.get(readme) ?? '').map(({ name }) => name.replace(/\d+/, '')))
  return [...letters].flatMap((letter) => mentions(path, text, new RegExp(`(?<![\\w.-])(${letter}\\d+)\\b(?!-)`, 'g')))
}

function isReadme(path: string): boolean {
  return /^packages\/[^/]+\/README\.md$/.test(path)
}

/** [R4] or [R4, R5] in a title of a test, or anywhere in a scenario or case. */
function citations(path: string, text: string): Mention[] {
  const pattern = /\[([A-Z]+\d+(?:\s*,\s*[A-Z]+\d+)*)\]/g
  if (/^packages\/.*\.(?:scenario|case)$/.test(path)) return mentions(path, text, pattern)
  if (!isTest(path) || !path.endsWith('.ts') || path.startsWith('test/tidy/')) return []
  const { code, literals } = scan(text)
  const titles = code.matchAll(/\b(?:test|it|describe|suite)\s*\(\s*(?=['"`])/g)
  return [...titles].flatMap(({ index, 0: call }) => {
    const line = lineAt(text, index)
    const title = literals.get(index + call.length) ?? ''
    return mentions(path, title, pattern).map(({ name }) => ({ name, place: `${path}:${line}` }))
  })
}

function mentions(path: string, text: string, pattern: RegExp): Mention[] {
  return [...text.matchAll(pattern)].flatMap((match) =>
    match[1]!.split(/\s*,\s*/).map((name) => ({ name, place: `${path}:${lineAt(text, match.index)}` })),
  )
}
