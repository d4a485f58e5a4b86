/**
 * Folders that are new get their names with all that is in them: that costs one rename, not one of each file. Until
 * then they are in the stage.
 */
import { closeSync, mkdirSync, readdirSync, renameSync, rmdirSync } from 'node:fs'
import { codeOf } from './fault.ts'
import { openFolder, pathOf } from './handle.ts'

/** What they are called meanwhile, with a number behind it. */
export const HIDDEN = 'folder-'

export interface Hidden {
  /** In the stage. */
  readonly path: string
  /** What was written in it, and in folders of it. */
  readonly entries: number[]
  isNamed: boolean
}

/** Whether nobody sees what is in it. */
export const isHidden = (hidden: Hidden | undefined): hidden is Hidden => hidden?.isNamed === false

export function hide(stage: string, number: number): Hidden {
  const path = `${stage}/${HIDDEN}${number}`
  mkdirSync(path)
  return { path, entries: [], isNamed: false }
}

/** Where somebody else has made it meanwhile, or a file system moves no folders. */
const MERGED: readonly string[] = ['ENOTEMPTY', 'EEXIST', 'EXDEV']

/** Whether it is that very folder that has the name now; else all that was in it is in the one that has it. */
export function giveName({ path }: Pick<Hidden, 'path'>, above: string, name: string): boolean {
  try {
    renameSync(path, `${above}/${name}`)
    return true
  } catch (error) {
    if (!MERGED.includes(codeOf(error))) throw error
  }
  merge(path, `${above}/${name}`)
  return false
}

function merge(from: string, to: string): void {
  try {
    mkdirSync(to)
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
  }
  const handle = openFolder(to)
  try {
    const path = pathOf(handle, to)
    for (const thing of readdirSync(from, { withFileTypes: true })) {
      if (thing.isDirectory()) giveName({ path: `${from}/${thing.name}` }, path, thing.name)
      else renameSync(`${from}/${thing.name}`, `${path}/${thing.name}`)
    }
  } finally {
    closeSync(handle)
  }
  rmdirSync(from)
}
