/** `fettle zip list`: what is in an archive, as a table, a tree, bare names or JSON. */
import type { Command, Flag, Given, Outcome } from '@fettle/check'
import { type Listing, lister } from './listing.ts'
import { onParts } from './meant.ts'
import { archiveArguments, type Meant, readMeant, selectFlags } from './options.ts'

type ListOptions = Meant & Listing

const flags: readonly Flag[] = [
  { name: 'tree', says: 'folders with the sum of what is in them, down to --depth' },
  { name: 'depth', value: 'count', says: 'how many folders deep the tree is shown (3)' },
  { name: 'names', says: 'bare names, a line each, as --names-from takes them' },
  { name: 'json', says: 'JSON: a line for each entry, what is told of the archive before them' },
  ...selectFlags,
]

const DEPTH = 3

function read(given: Given): Outcome<ListOptions> {
  const meant = readMeant(given)
  const faults = meant.ok ? [] : [...meant.faults]
  const forms = (['tree', 'names', 'json'] as const).filter((form) => given.flags[form] === true)
  if (forms.length > 1) faults.push(`--${forms.join(' and --')}: give one of them`)
  const depth = given.flags.depth ?? String(DEPTH)
  if (typeof depth !== 'string' || !/^[1-9]\d{0,2}$/.test(depth))
    faults.push(`--depth ${depth}: is no number from 1 to 999`)
  if (!meant.ok || faults.length > 0) return { ok: false, faults }
  return { ok: true, value: { ...meant.value, form: forms[0] ?? 'table', depth: Number(depth) } }
}

export const zipList: Command<ListOptions> = {
  name: 'zip list',
  summary: 'what is in an archive',
  arguments: archiveArguments,
  flags,
  examples: [
    'fettle zip list backup.zip',
    "fettle zip list backup.zip 'Nginx/**' --tree",
    'fettle zip list backup.zip --larger 1M --json',
  ],
  read,
  async run(options, io) {
    return await onParts(options, io, (source, end) => lister(options, source, end, io))
  },
}
