/** What a program does that uses yauzl: `ARCHIVE FOLDER PREFIX` writes what begins with it, `ARCHIVE` lists. */
import { createWriteStream, mkdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

interface Entry {
  readonly fileName: string
  readonly uncompressedSize: number
}
interface Archive {
  eachEntry(): AsyncIterable<Entry>
  openReadStreamPromise(entry: Entry): Promise<Readable>
}
interface Yauzl {
  openPromise(path: string, options?: { autoClose: boolean }): Promise<Archive>
}

// It brings no types of its own.
const yauzl = createRequire(import.meta.url)('yauzl') as Yauzl
const [path = '', folder, prefix = ''] = process.argv.slice(2)
const archive = await yauzl.openPromise(path)
let list = ''
for await (const entry of archive.eachEntry()) {
  const { fileName, uncompressedSize } = entry
  if (folder === undefined) list += `${uncompressedSize} ${fileName}\n`
  else if (fileName.startsWith(prefix)) {
    const target = join(folder, fileName)
    mkdirSync(dirname(target), { recursive: true })
    await pipeline(await archive.openReadStreamPromise(entry), createWriteStream(target))
  }
}
process.stdout.write(list)
