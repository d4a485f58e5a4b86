// Reads TypeScript far enough for the house rules: which text is code, which is a comment, which is a literal, and what
// a file imports. Type imports have to be seen too, so stripping the types first is no way to do it.

/** A text with its comments and the insides of its literals blanked out; every character keeps its place. */
export interface Source {
  readonly code: string
  /** What stood in the literals, by the place of their opening quote. A template's parts are separate literals. */
  readonly literals: ReadonlyMap<number, string>
}

export interface Import {
  readonly line: number
  readonly specifier: string
  /** `address` is `new URL('./x.ts', import.meta.url)`: the file is used, as a worker perhaps, but not imported. */
  readonly by: 'import' | 'address'
  /** `import type` or `export type`: nothing of it is there at run time. */
  readonly typeOnly: boolean
}

const token = {
  comment: /\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)/y,
  string: /'(?:[^'\\\n]|\\[\s\S])*'|"(?:[^"\\\n]|\\[\s\S])*"/y,
  template: /`(?:[^`\\$]|\\[\s\S]|\$(?!\{))*(?:\$\{|`)/y,
  templateRest: /\}(?:[^`\\$]|\\[\s\S]|\$(?!\{))*(?:\$\{|`)/y,
  regexp: /\/(?:[^\\/[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y,
  word: /[\p{L}\p{N}_$]+/uy,
  other: /\s+|./suy,
}

/** Words after which a slash begins a regular expression and does not divide. */
const operators = new Set('return typeof case in of delete void throw new instanceof await yield else do'.split(' '))

const known = new Map<string, Source>()

export function scan(text: string): Source {
  const before = known.get(text)
  if (before !== undefined) return before
  const source = read(text)
  known.set(text, source)
  return source
}

function read(text: string): Source {
  const literals = new Map<number, string>()
  const openBraces: number[] = [] // one count for every template we are inside of
  const parts: string[] = []
  let at = 0
  let last = '' // the last two tokens that are not space or comment: they tell a division from a regular expression
  let lastButOne = ''
  const next = (kind: RegExp): string | undefined => {
    kind.lastIndex = at
    return kind.exec(text)?.[0]
  }
  const emit = (part: string): void => {
    parts.push(part)
    at += part.length
    if (part.trim() === '') return
    lastButOne = last
    last = part.trimEnd()
  }
  const literal = (found: string, tail: number): void => {
    literals.set(at, found.slice(1, -tail))
    emit(found[0] + blank(found.slice(1, -tail)) + found.slice(-tail))
  }
  const template = (found: string): void => {
    const goesOn = found.endsWith('${')
    if (found[0] === '`' && goesOn) openBraces.push(0)
    if (found[0] === '}' && !goesOn) openBraces.pop()
    literal(found, goesOn ? 2 : 1)
  }
  const plain = (found: string): void => {
    const inside = openBraces.length - 1
    if (inside >= 0 && found === '{') openBraces[inside]! += 1
    if (inside >= 0 && found === '}') openBraces[inside]! -= 1
    emit(found)
  }
  const readers: readonly (readonly [RegExp, () => boolean, (found: string) => void])[] = [
    [token.comment, () => true, (found) => emit(blank(found))],
    [token.string, () => true, (found) => literal(found, 1)],
    [token.template, () => true, template],
    [token.templateRest, () => openBraces.at(-1) === 0, template],
    [token.regexp, () => mayBeginRegexp(last, lastButOne), (found) => emit(`/${blank(found.slice(1))}`)],
    [token.word, () => true, emit],
    [token.other, () => true, plain],
  ]
  while (at < text.length) {
    for (const [kind, applies, take] of readers) {
      const found = applies() ? next(kind) : undefined
      if (found === undefined) continue
      take(found)
      break
    }
  }
  return { code: parts.join(''), literals }
}

function blank(text: string): string {
  return text.replace(/[^\n]/g, ' ')
}

function mayBeginRegexp(last: string, lastButOne: string): boolean {
  const isValue = (found: string): boolean => /[\p{L}\p{N}_$)\]}'"`/]$/u.test(found) && !operators.has(found)
  return !(isValue(last) || (last === '!' && isValue(lastButOne))) // `a! / b` divides
}

const clauses: readonly (readonly [RegExp, Import['by']])[] = [
  [/(?<![.\p{L}\p{N}_$])(?:import|export)\b[\s\p{L}\p{N}_$*{},]*?\bfrom\s*(?=['"])/gu, 'import'],
  [/(?<![.\p{L}\p{N}_$])import\s*(?=['"])/gu, 'import'],
  [/(?<![.\p{L}\p{N}_$])(?:import|require)\s*\(\s*(?=['"`])/gu, 'import'],
  [/\bnew\s+URL\s*\(\s*(?=['"`][^)]*\bimport\.meta\.url)/gu, 'address'],
]

/** Everything a file imports, types included, from the top to the end. */
export function imports(text: string): Import[] {
  const { code, literals } = scan(text)
  const places = clauses.flatMap(([pattern, by]) =>
    [...code.matchAll(pattern)].map((match) => ({
      at: match.index + match[0].length,
      by,
      typeOnly: /^(?:import|export)\s+type\s+[\p{L}_${*]/u.test(match[0]) && !/^import\s+type\s+from\b/.test(match[0]),
    })),
  )
  return places
    .sort((a, b) => a.at - b.at)
    .map(({ at, by, typeOnly }) => ({ line: lineAt(text, at), specifier: literals.get(at) ?? '', by, typeOnly }))
}

/** The number, from 1, of the line in which the character stands. */
export function lineAt(text: string, at: number): number {
  let line = 1
  for (let i = text.indexOf('\n'); i !== -1 && i < at; i = text.indexOf('\n', i + 1)) line += 1
  return line
}
