// The house rules that neither the compiler nor the linter holds. STYLE.md gives the reasons.

import { decisionsRule, linksRule, promisesRule } from './documents.ts'
import {
  arrowsRule,
  coreRule,
  cyclesRule,
  deadFilesRule,
  declaredRule,
  leadsSomewhereRule,
  pageRule,
  wallsRule,
} from './imports.ts'
import type { Rule } from './project.ts'
import {
  chosenTestsRule,
  defaultExportRule,
  drawersRule,
  exactVersionsRule,
  lengthRule,
  unwantedRule,
  widthRule,
} from './texts.ts'

export const rules: readonly Rule[] = [
  arrowsRule,
  coreRule,
  cyclesRule,
  deadFilesRule,
  declaredRule,
  leadsSomewhereRule,
  pageRule,
  wallsRule,
  chosenTestsRule,
  defaultExportRule,
  drawersRule,
  exactVersionsRule,
  lengthRule,
  unwantedRule,
  widthRule,
  decisionsRule,
  linksRule,
  promisesRule,
]
