/** The lines that fettle has put at the top of a file of sshd, between two marks; without them it is as it was. */

const BEGIN = '# What fettle ssh change has set; fettle ssh change --undo --apply takes it out again.\n'
const END = '# The end of what fettle has set.\n'

/** `UseDNS no; GSSAPIAuthentication no`; empty: there are none. */
export function linesIn(text: string): string {
  const block = blockOf(text)
  return block === undefined ? '' : block.slice(BEGIN.length, -END.length).trimEnd().replaceAll('\n', '; ')
}

/** The same file with these lines in place of those before; every other byte stays. */
export function withLines(text: string, lines: string): string {
  const block = blockOf(text)
  const rest = block === undefined ? text : text.replace(block, () => '')
  return lines === '' ? rest : `${BEGIN}${lines.replaceAll('; ', '\n')}\n${END}${rest}`
}

function blockOf(text: string): string | undefined {
  const from = text.indexOf(BEGIN)
  const to = text.indexOf(END, from)
  const isAtLine = from === 0 || text[from - 1] === '\n'
  return from < 0 || to < 0 || !isAtLine ? undefined : text.slice(from, to + END.length)
}

/** `UseDNS no; MaxStartups 30:30:200` as pairs. */
export const pairsOf = (lines: string): [name: string, value: string][] =>
  lines === ''
    ? []
    : lines.split('; ').map((line) => {
        const blank = line.indexOf(' ')
        return [line.slice(0, blank), line.slice(blank + 1)]
      })

/** In the order of their names, each once: a later value counts. */
export function linesOf(pairs: readonly (readonly [name: string, value: string])[]): string {
  const last = new Map(pairs)
  const names = Array.from(last.keys()).sort()
  return names.map((name) => `${name} ${last.get(name)}`).join('; ')
}
