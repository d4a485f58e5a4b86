/** `npm run bench [-- NAME]`: each question in a process of its own. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const questions = ['ingest', 'memory', 'service']
const [wanted, ...rest] = process.argv.slice(2)
if (wanted !== undefined && !questions.includes(wanted)) {
  process.stderr.write(`no benchmark is called ${wanted}; there are ${questions.join(', ')}\n`)
  process.exit(2)
}
for (const name of wanted === undefined ? questions : [wanted]) {
  const file = fileURLToPath(new URL(`./${name}.ts`, import.meta.url))
  const { status } = spawnSync(process.execPath, [file, ...rest], { stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}
