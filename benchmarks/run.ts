/** `npm run bench [-- NAME]`: each question in a process of its own. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** By name: the file. */
const questions: Readonly<Record<string, string>> = {
  ingest: 'ingest',
  log: 'log-source',
  memory: 'memory',
  redis: 'redis-source',
  'redis-check': 'redis-check',
  'redis-shares': 'redis-shares',
  service: 'service',
  shares: 'shares',
  'ssh-check': 'ssh-check',
  zip: 'zip',
}
const [wanted, ...rest] = process.argv.slice(2)
if (wanted !== undefined && questions[wanted] === undefined) {
  process.stderr.write(`no benchmark is called ${wanted}; there are ${Object.keys(questions).join(', ')}\n`)
  process.exit(2)
}
for (const name of wanted === undefined ? Object.keys(questions) : [wanted]) {
  const file = fileURLToPath(new URL(`./${questions[name]}.ts`, import.meta.url))
  const { status } = spawnSync(process.execPath, [file, ...rest], { stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}
