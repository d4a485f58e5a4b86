/** The built page. Its files are few and small and are kept in memory: no request ever becomes a path. */
import { readdirSync, readFileSync } from 'node:fs'
import { extname, join, relative, sep } from 'node:path'

interface File {
  readonly body: Uint8Array<ArrayBuffer>
  readonly headers: Readonly<Record<string, string>>
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
}

/** Only what comes from here runs, and nobody may put the page into theirs. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const HEADERS = {
  'Content-Security-Policy': POLICY,
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
}

const MISSING = `The page is not built. Build it with "node scripts/console.ts" in its folder, then start again.
The API answers all the same; /v1/openapi.json describes it.
`

/** The files by the path of their address; without a folder a line that says how to build the page. */
export function readPage(folder: string | undefined): (path: string) => Response | undefined {
  const files = new Map<string, File>()
  for (const file of folder === undefined ? [] : filesIn(folder)) {
    const path = `/${relative(folder!, file).split(sep).join('/')}`
    files.set(path, fileOf(file, path))
  }
  const index = files.get('/index.html')
  if (index !== undefined) files.set('/', index)
  return (path) => {
    const file = files.get(path)
    if (file !== undefined) return new Response(file.body, { headers: file.headers })
    if (path !== '/') return undefined
    return new Response(MISSING, { headers: { ...HEADERS, 'Content-Type': 'text/plain; charset=utf-8' } })
  }
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}

function fileOf(file: string, path: string): File {
  // The names of assets change with what they hold.
  const cache = path.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache'
  const type = types[extname(file)] ?? 'application/octet-stream'
  return {
    body: new Uint8Array(readFileSync(file)),
    headers: { ...HEADERS, 'Content-Type': type, 'Cache-Control': cache },
  }
}
