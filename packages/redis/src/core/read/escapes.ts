/** Quoted strings as Redis and redis-cli write them (`sdscatrepr`, sds.c): `"a\"b\x00\n"`. */

const SIMPLE: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', a: '\u0007', b: '\b' }

/**
 * Reads the string that begins with the quote at `at`. Returns what it holds, one letter for each byte of what is no
 * ASCII, and where it ends; undefined when its end is missing.
 */
export function readQuoted(text: string, at: number): { readonly value: string; readonly end: number } | undefined {
  let value = ''
  for (let i = at + 1; i < text.length; i++) {
    const letter = text[i]!
    if (letter === '"') return { value, end: i + 1 }
    if (letter !== '\\') {
      value += letter
      continue
    }
    const next = text[++i]
    if (next === undefined) return undefined
    const hex = next === 'x' ? /^[0-9a-fA-F]{2}/.exec(text.slice(i + 1, i + 3))?.[0] : undefined
    if (hex !== undefined) {
      value += String.fromCharCode(Number.parseInt(hex, 16))
      i += 2
    } else value += SIMPLE[next] ?? next
  }
  return undefined
}
