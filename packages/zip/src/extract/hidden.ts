/**
 * Folders that are new get their names with all that is in them: that costs one rename, not one of each file. Until
 * then they are in the stage.
 */
import { mkdirSync } from 'node:fs'

/** What they are called meanwhile, with a number behind it. */
export const HIDDEN = 'folder-'

export interface Hidden {
  /** In the stage. */
  readonly path: string
  /** What was written in it, and in folders of it. */
  readonly entries: number[]
  isNamed: boolean
  /** Something half-written is in it, and cannot be taken away. */
  isSpoilt: boolean
}

/** Whether nobody sees what is in it. */
export const isHidden = (hidden: Hidden | undefined): hidden is Hidden => hidden?.isNamed === false

export function hide(stage: string, number: number): Hidden {
  const path = `${stage}/${HIDDEN}${number}`
  mkdirSync(path)
  return { path, entries: [], isNamed: false, isSpoilt: false }
}
