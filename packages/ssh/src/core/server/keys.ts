/** The command that tells sshd the keys of a user, with what sshd puts into it (sshd_config(5), TOKENS). */

export interface KeyTokens {
  readonly user: string
  readonly uid: number
  readonly home: string
  readonly type: string
  /** In base64, and its fingerprint. */
  readonly key: string
  readonly fingerprint: string
}

/** Words and their quotes as sshd splits them (misc.c, argv_split); `problem`: it cannot be run from here. */
export function keysCommand(line: string, tokens: KeyTokens): readonly string[] | { readonly problem: string } {
  const words = split(line)
  const values: Readonly<Record<string, string>> = {
    '%': '%',
    u: tokens.user,
    U: String(tokens.uid),
    h: tokens.home,
    t: tokens.type,
    k: tokens.key,
    f: tokens.fingerprint,
    D: '',
    C: '127.0.0.1 0 127.0.0.1 22',
  }
  const unknown = new Set<string>()
  const expanded = words.map((word) =>
    word.replaceAll(/%(.)/g, (whole, letter: string) => {
      if (values[letter] === undefined) unknown.add(whole)
      return values[letter] ?? whole
    }),
  )
  if (unknown.size > 0) return { problem: `nobody knows what ${Array.from(unknown).join(' ')} stands for` }
  // Without a token in it sshd gives it the user (auth2-pubkey.c).
  return words.length === 1 ? [...expanded, tokens.user] : expanded
}

function split(line: string): string[] {
  const words: string[] = []
  for (const [, double, single, plain] of line.matchAll(/"((?:[^"\\]|\\.)*)"|'([^']*)'|((?:[^\s"'\\]|\\.)+)/g)) {
    words.push(double?.replaceAll(/\\(["\\])/g, '$1') ?? single ?? plain!.replaceAll(/\\(.)/g, '$1'))
  }
  return words
}
