/** One at a time: of two that change the settings, the one that ends last would put back what it has read first. */
import { closeSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { Unseen } from '@fettle/check'
import { processOf } from './processes.ts'

const LOCK = '/run/fettle-ssh-change.lock'

/** Throws Unseen: another is at work. */
export async function alone<T>(work: () => Promise<T>, file = LOCK): Promise<T> {
  take(file)
  try {
    return await work()
  } finally {
    rmSync(file, { force: true })
  }
}

function take(file: string): void {
  try {
    make(file)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'EEXIST') throw new Unseen(`${file}: cannot be made (${code}), so another could change the same`)
    if (isHeld(file)) throw new Unseen(`${file}: another fettle ssh change is at work; wait until it is done`)
    // Its owner was killed.
    rmSync(file, { force: true })
    take(file)
  }
}

function make(file: string): void {
  const descriptor = openSync(file, 'wx', 0o600)
  try {
    writeSync(descriptor, `${process.pid} ${processOf(process.pid)?.started}\n`)
  } finally {
    closeSync(descriptor)
  }
}

/** A number may be another's by now, but not since the same moment. */
function isHeld(file: string): boolean {
  const [pid, started] = readFileSync(file, 'utf8').split(' ').map(Number)
  const owner = pid === undefined ? undefined : processOf(pid)
  return owner !== undefined && !owner.isOver && owner.started === started
}
