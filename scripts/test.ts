// npm test: everything, with real servers. `npm run test:real` leaves out what `npm run check` does.

import { providePackages } from './debian.ts'
import { lint, quickTests, realTests, runStages, types } from './stages.ts'

const onlyReal = process.argv[2] === 'real'
process.exitCode = providePackages() || (await runStages(onlyReal ? [realTests] : [types, lint, quickTests, realTests]))
