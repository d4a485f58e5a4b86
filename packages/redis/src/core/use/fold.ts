/** Kinds of keys that are no kinds: where very many different words stand in one place, that place is `*`. */
import { parted } from './pattern.ts'

/** More different words than these in one place, and they are no kinds. */
const WORDS_MAX = 20
/** One that stands there this often is a kind all the same. */
const OFTEN = 0.1

interface Node {
  count: number
  readonly next: Map<string, Node>
}

/** For each pattern the one that it belongs to; how often each stands in the list counts. */
export function foldRare(patterns: readonly string[]): Map<string, string> {
  const root = newNode()
  for (const pattern of patterns) {
    let node = root
    node.count++
    for (const word of parted(pattern)) {
      const next = node.next.get(word) ?? newNode()
      node.next.set(word, next)
      node = next
      node.count++
    }
  }
  merge(root)
  return new Map(Array.from(new Set(patterns), (pattern) => [pattern, foldOne(root, pattern)]))
}

const newNode = (): Node => ({ count: 0, next: new Map() })

/** Puts what is rare of too many words under `*`, all the way down. */
function merge(node: Node): void {
  if (node.next.size > WORDS_MAX) {
    const rare = Array.from(node.next).filter(([word, { count }]) => count < OFTEN * node.count && isWord(word))
    const star = node.next.get('*') ?? newNode()
    for (const [word, one] of rare) {
      if (word === '*') continue
      node.next.delete(word)
      add(star, one)
    }
    if (rare.length > 0) node.next.set('*', star)
  }
  for (const next of node.next.values()) merge(next)
}

function add(to: Node, from: Node): void {
  to.count += from.count
  for (const [word, next] of from.next) {
    const own = to.next.get(word) ?? newNode()
    to.next.set(word, own)
    add(own, next)
  }
}

/** A separator is no word. */
const isWord = (text: string) => /[^:/.|_-]/.test(text)

function foldOne(root: Node, pattern: string): string {
  const words: string[] = []
  let node: Node | undefined = root
  for (const word of parted(pattern)) {
    const isThere: boolean = node?.next.has(word) === true
    words.push(isThere ? word : '*')
    node = node?.next.get(isThere ? word : '*')
  }
  return words.join('').replaceAll(/\*+/g, '*')
}
