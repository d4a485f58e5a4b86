/** How much resident memory does a live allocation cost, all threads together, above an empty meter? */
import { spread, startSubject, TOKEN } from './process.ts'
import { startCoturn } from './stream.ts'

const sizes = (process.argv[2] ?? '10000,100000,1000000').split(',').map(Number)
const FEW = 1000
/** A few megabytes come and go with the garbage collector: with few allocations it takes many rounds to see through. */
const roundsOf = (live: number) => (live > 100_000 ? 1 : live > 10_000 ? 3 : 7)

process.stdout.write(`resident bytes for each live allocation, above the same process with ${FEW}\n\n`)
process.stdout.write('     live  subject   all            without the JavaScript heaps\n')
for (const live of sizes) {
  for (const name of ['fettle', 'bare']) {
    const all: number[] = []
    const outside: number[] = []
    for (let round = 0; round < roundsOf(live); round++) {
      const { rss, heap } = await measure(name, live)
      all.push(rss)
      outside.push(rss - heap)
    }
    process.stdout.write(`${String(live).padStart(9)}  ${name.padEnd(8)}${figures(all)}  ${figures(outside)}\n`)
  }
}

function figures(values: readonly number[]): string {
  const { median, least, most } = spread(values)
  return `${median.toFixed(0).padStart(6)} B  (${least.toFixed(0)} to ${most.toFixed(0)})`
}

async function measure(name: string, live: number): Promise<{ rss: number; heap: number }> {
  const subject = await startSubject(name, 1)
  // The code is warm and its heaps grown before the first figure is taken.
  const few = await startCoturn(subject.port, TOKEN, FEW)
  await few.open()
  const reported = await few.report(100_000, 3000)
  few.close()
  const empty = await subject.stored(reported)
  const coturn = await startCoturn(subject.port, TOKEN, live, FEW + 1)
  await coturn.open()
  const full = await subject.stored(reported + (await coturn.report(50_000, 3000)))
  coturn.close()
  await subject.stop()
  return { rss: (full.rss - empty.rss) / live, heap: (full.heap - empty.heap) / live }
}
