/** A whole archive in a temporary file, for servers that send no ranges. */
import { randomBytes } from 'node:crypto'
import { writeSync } from 'node:fs'
import { type FileHandle, open, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { Unseen } from '@fettle/check'
import { compressed, isEncoded, sizeOf } from './ranges.ts'
import { type Answer, Cut, type Requests } from './request.ts'
import type { Source } from './source.ts'

const PACE = { waste: 0.25, gap: 1 << 16, piece: 4 << 20, parallel: 2 }

/** The file has no name any more when this returns: nothing is left of it, whatever becomes of us. */
export async function download(name: string, answer: Answer, requests: Requests, folder: string): Promise<Source> {
  if (isEncoded(answer.headers)) {
    answer.body.destroy()
    throw compressed(name)
  }
  const file = await nameless(folder)
  try {
    const size = await receive(name, answer, requests, file, folder)
    return new DownloadedSource(name, size, file, requests)
  } catch (error) {
    await file.close()
    throw error
  }
}

async function nameless(folder: string): Promise<FileHandle> {
  const path = join(folder, `.fettle-${randomBytes(8).toString('hex')}`)
  try {
    const file = await open(path, 'wx+', 0o600)
    await unlink(path)
    return file
  } catch (error) {
    throw new Unseen(`${folder}: no temporary file can be made there (${(error as NodeJS.ErrnoException).code})`)
  }
}

async function receive(
  name: string,
  answer: Answer,
  requests: Requests,
  file: FileHandle,
  folder: string,
): Promise<number> {
  let size = 0
  let failure: NodeJS.ErrnoException | undefined
  await requests.receive(answer, (chunk) => {
    try {
      // At once, so that no more of it is in memory than one part, however slow the disk is.
      for (let at = 0; at < chunk.length; ) at += writeSync(file.fd, chunk, at)
      size += chunk.length
      return true
    } catch (error) {
      failure = error as NodeJS.ErrnoException
      return false
    }
  })
  if (failure !== undefined) {
    const why = failure.code === 'ENOSPC' ? `no space is left there after ${size} bytes` : String(failure.code)
    throw new Unseen(`${folder}: ${name} cannot be kept there: ${why}`)
  }
  const told = sizeOf(answer.headers)
  if (told !== undefined && told !== size) throw new Cut('the server sends less than it says')
  return size
}

class DownloadedSource implements Source {
  readonly name: string
  readonly size: number
  readonly pace = PACE
  readonly #file: FileHandle
  readonly #requests: Requests

  constructor(name: string, size: number, file: FileHandle, requests: Requests) {
    this.name = name
    this.size = size
    this.#file = file
    this.#requests = requests
  }

  get cost() {
    return { bytes: this.#requests.bytes, requests: this.#requests.count }
  }

  async read(start: number, end: number): Promise<Buffer> {
    const bytes = Buffer.alloc(end - start)
    for (let at = 0; at < bytes.length; ) {
      const { bytesRead } = await this.#file.read(bytes, at, bytes.length - at, start + at)
      if (bytesRead === 0) throw new Unseen(`${this.name}: the temporary file with it was cut off`)
      at += bytesRead
    }
    return bytes
  }

  async close(): Promise<void> {
    this.#requests.close()
    await this.#file.close()
  }
}
