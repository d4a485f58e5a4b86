/** Names beside those that are taken: `a (1).txt`, as other programs make them. */
import { closeSync, linkSync, openSync, renameSync, type Stats, unlinkSync } from 'node:fs'
import { codeOf } from './fault.ts'
import { there } from './place.ts'

/** So many are looked at for one that has the content already. */
const LOOKED_AT = 100
/** So many are tried for one that is free. */
const TRIED = 10_000
/** Where a file can have but one name. */
const NO_LINKS: readonly string[] = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']

export class Beside {
  /** By path, the number after that which was given or found last: an archive may have thousands of one name. */
  readonly #next = new Map<string, number>()

  /** Under this name, or the next one that nothing has. `path`: what it is known by from one call to the next. */
  put(draft: string, folder: string, name: string, path: string): void {
    const first = this.#next.get(path) ?? 0
    for (let i = first; ; i++) {
      try {
        place(draft, `${folder}/${numbered(name, i)}`)
      } catch (error) {
        if (codeOf(error) === 'EEXIST' && i - first < TRIED) continue
        throw error
      }
      this.#next.set(path, i + 1)
      return
    }
  }

  /** Whether an earlier run has put it beside already, and this is the same as that. */
  has(folder: string, name: string, path: string, isSame: (name: string, stat: Stats) => boolean): boolean {
    const first = Math.max(1, this.#next.get(path) ?? 1)
    for (let i = first; i < first + LOOKED_AT; i++) {
      const stat = there(folder, numbered(name, i))
      if (stat === undefined) return false
      if (!isSame(numbered(name, i), stat)) continue
      this.#next.set(path, i + 1)
      return true
    }
    return false
  }
}

function numbered(name: string, i: number): string {
  if (i === 0) return name
  const dot = name.lastIndexOf('.')
  return dot > 0 ? `${name.slice(0, dot)} (${i})${name.slice(dot)}` : `${name} (${i})`
}

/** Unlike a rename alone, it takes nothing's place: EEXIST is thrown. */
function place(draft: string, path: string): void {
  try {
    linkSync(draft, path)
  } catch (error) {
    if (!NO_LINKS.includes(codeOf(error))) throw error
    closeSync(openSync(path, 'wx'))
    return renameSync(draft, path)
  }
  unlinkSync(draft)
}
