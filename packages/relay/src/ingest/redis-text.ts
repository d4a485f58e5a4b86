/** What `redis-cli` prints: `psubscribe` as pasted, the same with time stamps, `monitor`. */
import { type RecordingKind, textReader } from './recorder.ts'

const encoder = new TextEncoder()

/** Quotes as terminals print them and as word processors and web pages change them. */
const QUOTE = '["\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb]'
const numbered = new RegExp(`^\\s*(\\d)[)>]\\s+${QUOTE}(.*)${QUOTE}\\s*$`)

const MESSAGE = /^p?message$/

/** Lines of a message: `pmessage`, pattern, channel, message; `subscribe` has no pattern. */
const linesOf = (first: string) => (first === 'pmessage' ? 4 : first === 'message' ? 3 : Number.NaN)

/** `redis-cli psubscribe` on a terminal: lines numbered and quoted. No time stamps. */
export const pastedKind: RecordingKind = {
  name: 'psubscribe',
  bootAware: false,
  detect: (lines) => lines.some((line) => MESSAGE.test(numbered.exec(line)?.[2] ?? '')),
  reader: () => {
    let parts: string[] = []
    return textReader((line, out) => {
      const match = numbered.exec(line)
      if (match === null) return
      const [, number, text] = match as unknown as [string, string, string]
      if (number === '1') parts = []
      parts.push(text)
      if (parts.length === linesOf(parts[0]!)) out.publish(unescapeReply(parts.at(-2)!), unescapeReply(parts.at(-1)!))
    })
  },
}

/** `redis-cli psubscribe > file`: the same lines plain. No time stamps. */
export const plainKind: RecordingKind = {
  name: 'psubscribe into a file',
  bootAware: false,
  detect: (lines) => lines.some((line, i) => MESSAGE.test(line) && lines[i + linesOf(line) - 2]?.startsWith('turn/')),
  reader: () => {
    let parts: string[] = []
    return textReader((line, out) => {
      if (parts.length === 0 && !MESSAGE.test(line)) return
      parts.push(line)
      if (parts.length < linesOf(parts[0]!)) return
      out.publish(encoder.encode(parts.at(-2)), encoder.encode(parts.at(-1)))
      parts = []
    })
  },
}

const tabbed = /^(\d{12,14}(?:\.\d+)?)\t(turn\/[^\t]*)\t(.*)$/

/** Epoch milliseconds, TAB, channel, TAB, message. */
export const tabbedKind: RecordingKind = {
  name: 'psubscribe with times',
  bootAware: false,
  detect: (lines) => lines.some((line) => tabbed.test(line)),
  reader: () =>
    textReader((line, out) => {
      const match = tabbed.exec(line)
      if (match === null) return
      out.at(Number(match[1]))
      out.publish(encoder.encode(match[2]), encoder.encode(match[3]))
    }),
}

const monitored = /(?:^|\t)(\d{9,11}\.\d{6}) \[\d+ [^"]*\] (".*")$/
const quoted = /"((?:[^"\\]|\\.)*)"/g

/** `redis-cli monitor`: Redis' own seconds and microseconds; other columns may stand before them. */
export const monitorKind: RecordingKind = {
  name: 'monitor',
  bootAware: false,
  detect: (lines) => lines.some((line) => monitored.test(line)),
  reader: () =>
    textReader((line, out) => {
      const match = monitored.exec(line)
      if (match === null) return
      out.at(Number(match[1]) * 1000)
      const words = Array.from(match[2]!.matchAll(quoted), (word) => word[1]!)
      if (words.length !== 3 || words[0]!.toLowerCase() !== 'publish') return
      out.publish(unescapeReply(words[1]!), unescapeReply(words[2]!))
    }),
}

const plain: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, a: 7, b: 8 }

/** The bytes that redis-cli printed inside quotes: `\xNN`, `\n`, `\"`, and so on, are undone. */
export function unescapeReply(text: string): Uint8Array {
  if (!text.includes('\\')) return encoder.encode(text)
  const bytes: number[] = []
  for (let i = 0; i < text.length; ) {
    if (text[i] !== '\\') {
      const letter = String.fromCodePoint(text.codePointAt(i)!)
      bytes.push(...encoder.encode(letter))
      i += letter.length
      continue
    }
    const hex = /^\\x([0-9a-fA-F]{2})/.exec(text.slice(i, i + 4))
    if (hex) {
      bytes.push(Number.parseInt(hex[1]!, 16))
      i += 4
    } else {
      const next = text[i + 1] ?? '\\'
      bytes.push(plain[next] ?? next.charCodeAt(0))
      i += 2
    }
  }
  return Uint8Array.from(bytes)
}
