// Builds the meter's web page where it is missing or older than its sources. Other scripts import it; by hand:
// node scripts/console.ts

import { build } from '@fettle/console/build'

/** The folder that holds the page. */
export async function buildConsole(): Promise<string> {
  const began = performance.now()
  const { dist, fresh } = await build()
  if (fresh) console.log(`The web page was built in ${((performance.now() - began) / 1000).toFixed(1)} s: ${dist}`)
  return dist
}

if (import.meta.main) await buildConsole()
