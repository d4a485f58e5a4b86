/** Replies as redis-cli prints them for people: nested lists, each item behind its number, indented under its list. */
import { readQuoted } from './escapes.ts'

export type Reply = number | string | null | readonly Reply[]

interface List {
  /** Where the numbers of its items end: redis-cli writes them flush right. */
  readonly column: number
  readonly items: Reply[]
}

const INDEX = /^( *)(\d+)\) /
const INTEGER = /^\(integer\) (-?\d+)$/

/** The items of all lists at the left edge, in order; lines that belong to no list are passed over. */
export function readReplies(text: string): Reply[] {
  const root: List = { column: -1, items: [] }
  let open = [root]
  for (const line of text.split(/\r?\n/)) open = readLine(line, open)
  return root.items
}

/** Returns the lists that are open after the line, the innermost last. */
function readLine(line: string, before: readonly List[]): List[] {
  let open = [...before]
  let column = 0
  let rest = line
  let wasIndex = false
  for (let index = INDEX.exec(rest); index !== null; index = INDEX.exec(rest)) {
    open = listAt(open, column + index[0].length, wasIndex)
    rest = rest.slice(index[0].length)
    column += index[0].length
    wasIndex = true
  }
  if (wasIndex) open.at(-1)!.items.push(readValue(rest))
  else open = open.slice(0, 1)
  return open
}

/** The list whose items are numbered at this column; one that begins here is an item of the list around it. */
function listAt(open: readonly List[], column: number, isNew: boolean): List[] {
  const around = open.filter((one) => one.column < column || (one.column === column && !isNew))
  if (around.at(-1)!.column === column) return around
  const list: List = { column, items: [] }
  if (around.length > 0) around.at(-1)!.items.push(list.items)
  return [...around, list]
}

function readValue(text: string): Reply {
  const integer = INTEGER.exec(text)?.[1]
  if (integer !== undefined) return Number(integer)
  if (text.startsWith('"')) return readQuoted(text, 0)?.value ?? null
  if (/^\(empty (?:list|array)/.test(text)) return []
  return text === '(nil)' ? null : text
}
