/** How much resident memory does a live allocation cost, all threads together, above an empty meter? */
import { startSubject, TOKEN } from './process.ts'
import { startCoturn } from './stream.ts'

const sizes = (process.argv[2] ?? '10000,100000,1000000').split(',').map(Number)

process.stdout.write('resident bytes for each live allocation, above the same process without any\n\n')
for (const live of sizes) {
  for (const name of ['fettle', 'bare']) {
    const subject = await startSubject(name, 1)
    // The code is warm and its heaps grown before the first figure is taken.
    const few = await startCoturn(subject.port, TOKEN, 1000)
    await few.open(1000)
    await few.report(100_000, 3000)
    few.close()
    const empty = await subject.cost()
    const coturn = await startCoturn(subject.port, TOKEN, live)
    await coturn.open(live)
    await coturn.report(50_000, 5000)
    await new Promise((resolve) => setTimeout(resolve, 3000))
    const full = await subject.cost()
    const each = (full.rss - empty.rss) / live
    process.stdout.write(`${String(live).padStart(9)}  ${name.padEnd(8)}${each.toFixed(0).padStart(6)} B\n`)
    coturn.close()
    await subject.stop()
  }
}
