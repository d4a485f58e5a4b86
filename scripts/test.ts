// npm test: everything, with real servers. `npm run test:real` leaves out what `npm run check` does.

import { providePackages } from './debian.ts'
import { lint, quickTests, realTests, runStages, types } from './stages.ts'

// The model test has more time here than between two edits.
process.env.FETTLE_MODEL_RUNS ??= '300'

const onlyReal = process.argv[2] === 'real'
process.exitCode = providePackages() || (await runStages(onlyReal ? [realTests] : [types, lint, quickTests, realTests]))
