import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { check, play, readScenario } from './scenario.ts'

const folder = new URL('./scenarios/', import.meta.url)
const files = readdirSync(folder).filter((name) => name.endsWith('.scenario'))

for (const file of files) {
  const scenario = readScenario(readFileSync(new URL(file, folder), 'utf8'))

  test(`${file}: in one go`, () => {
    const ledger = play(scenario, false)
    check(scenario, ledger)
    ledger.close()
  })

  test(`[R30] ${file}: the meter killed after every event`, () => {
    const ledger = play(scenario, true)
    check(scenario, ledger)
    ledger.close()
  })
}
