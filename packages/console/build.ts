/** Makes the page: `dist` holds all of it, and needs nothing of this package any more. */
import { chmodSync, globSync, mkdtempSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('.', import.meta.url))

/** What the page is made of. The lock file stands for the versions of what it uses. */
const sources = ['src/**/*', 'index.html', 'build.ts', 'package.json', '../../package-lock.json']

export interface Built {
  /** The folder with the page. */
  readonly dist: string
  /** False when it was there already and no older than its sources. */
  readonly fresh: boolean
}

/** Builds the page where it is missing or older than what it is made of. */
export async function build(): Promise<Built> {
  const dist = join(folder, 'dist')
  if (!isStale(join(dist, 'index.html'))) return { dist, fresh: false }
  const began = new Date()
  // Beside the old one and then in its place: who builds at the same time finds one or the other, never half of it.
  const next = mkdtempSync(join(folder, 'dist-'))
  try {
    await bundle(next)
    chmodSync(next, 0o755)
    // As old as the start of the build: what was edited meanwhile makes it stale.
    utimesSync(join(next, 'index.html'), began, began)
    rmSync(dist, { recursive: true, force: true })
    renameSync(next, dist)
  } catch (error) {
    rmSync(next, { recursive: true, force: true })
    if (isStale(join(dist, 'index.html'))) throw error
  }
  return { dist, fresh: true }
}

function isStale(page: string): boolean {
  const built = modified(page)
  return sources.some((pattern) =>
    globSync(pattern, { cwd: folder }).some((path) => modified(join(folder, path)) > built),
  )
}

/** Milliseconds since the epoch; before everything when it is not there. */
function modified(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Number.NEGATIVE_INFINITY
}

async function bundle(outDir: string): Promise<void> {
  const vite = await import('vite')
  await vite.build({
    root: folder,
    // The page may be served under any path.
    base: './',
    configFile: false,
    logLevel: 'warn',
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
    build: {
      outDir,
      emptyOutDir: true,
      target: 'es2022',
      assetsInlineLimit: 0,
      modulePreload: false,
      reportCompressedSize: false,
    },
  })
}
