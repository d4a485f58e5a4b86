// npm run check: the quick half of `npm test`, for the time between two edits. No server, nothing installed.

import { lint, quickTests, runStages, types } from './stages.ts'

process.exitCode = await runStages([types, lint, quickTests])
