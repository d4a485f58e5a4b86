/** What there is to tell of entries and archives: one list of all of it, and findings made of what was counted. */
import { counted, type Finding } from '@fettle/report'

type Severity = Finding['severity']

interface Verdict {
  readonly severity: Severity
  /** Behind how many of what: `2 names lead out of the folder`. */
  readonly one: string
  readonly many: string
  readonly cause?: string
  readonly remedy?: string
}

const verdict = (severity: Severity, one: string, many: string, cause?: string, remedy?: string): Verdict => ({
  severity,
  one,
  many,
  ...(cause === undefined ? {} : { cause }),
  ...(remedy === undefined ? {} : { remedy }),
})

const DAMAGED = 'Copy or fetch the archive anew; where that gives the same, it was damaged when it was made.'

/** By code, in the order in which they are told. */
const verdicts = {
  // Left out, because of what it holds.
  crc: verdict(
    'warning',
    'entry has another CRC-32 than its directory says',
    'entries have another CRC-32 than their directory says',
    'Their bytes have changed since they were packed.',
    DAMAGED,
  ),
  size: verdict(
    'warning',
    'entry has another size than its directory says',
    'entries have another size than their directory says',
    'They are damaged, or made to deceive whoever believes the directory.',
    DAMAGED,
  ),
  data: verdict(
    'warning',
    'entry cannot be unpacked',
    'entries cannot be unpacked',
    'Their bytes are not what their method makes.',
    DAMAGED,
  ),
  'no-header': verdict(
    'warning',
    'entry has no header where the directory says',
    'entries have no header where the directory says',
    'Something was put before the archive or taken out of it, or its directory is of another archive.',
    DAMAGED,
  ),
  outside: verdict(
    'warning',
    'entry would lie where the archive has no bytes for it',
    'entries would lie where the archive has no bytes for them',
    'The archive was cut off, or its directory is wrong.',
    DAMAGED,
  ),
  overlap: verdict(
    'warning',
    'entry shares its bytes with others',
    'entries share bytes with each other',
    'No program makes such archives; it is how a small archive unpacks to more than a disk holds.',
    'Do not trust this archive.',
  ),
  bomb: verdict(
    'warning',
    'entry unpacks to far more than it has bytes',
    'entries unpack to far more than they have bytes',
    'It may be meant to fill the disk.',
    'Where it is known to be harmless, raise --max-ratio.',
  ),
  limit: verdict(
    'warning',
    'entry is beyond what was allowed',
    'entries are beyond what was allowed',
    undefined,
    'Raise --max-bytes or --max-files, or select less.',
  ),
  method: verdict(
    'warning',
    'entry is packed in a way that is not read',
    'entries are packed in ways that are not read',
    undefined,
    '7zz x may unpack them.',
  ),
  encrypted: verdict(
    'warning',
    'entry is encrypted',
    'entries are encrypted',
    undefined,
    'Give the password with --password-from FILE, or type it when asked.',
  ),
  password: verdict(
    'warning',
    'entry has another password',
    'entries have another password',
    undefined,
    'Run it again with that password: what is there already is left as it is.',
  ),
  // Left out, because of its name or kind.
  'unsafe-name': verdict(
    'warning',
    'entry has a name that leads out of the folder, or nowhere',
    'entries have names that lead out of the folder, or nowhere',
    'Unpacked with such a name it would be written where nobody expects it.',
    'To see one: fettle zip cat ARCHIVE NAME',
  ),
  'long-name': verdict(
    'warning',
    'entry has a name that is longer than file systems take',
    'entries have names that are longer than file systems take',
    undefined,
    '--strip takes folders off the front of names.',
  ),
  'symlink-outside': verdict(
    'warning',
    'symbolic link leads out of the folder',
    'symbolic links lead out of the folder',
    'What is written through it later would land elsewhere.',
  ),
  'symlink-skipped': verdict(
    'note',
    'symbolic link was not made',
    'symbolic links were not made',
    undefined,
    '--symlinks inside makes those that stay in the folder.',
  ),
  'special-file': verdict('warning', 'entry is a device, a pipe or a socket', 'entries are devices, pipes or sockets'),
  exists: verdict(
    'warning',
    'file was there with other content, and was left as it is',
    'files were there with other content, and were left as they are',
    undefined,
    '--existing overwrite, newer or rename says what is to become of them.',
  ),
  blocked: verdict(
    'warning',
    'entry has no place: something else stands in its way',
    'entries have no place: something else stands in their way',
    'A link stands where a folder should be, or a folder where a file should be.',
    'Extract into another folder, or move away what is there.',
  ),
  room: verdict(
    'warning',
    'folder has not enough room',
    'folders have not enough room',
    undefined,
    'Select less or give another -d FOLDER.',
  ),
  // Written under its name.
  'duplicate-name': verdict(
    'warning',
    'entry has a name that a later one has too',
    'entries have names that later ones have too',
    'The later one is taken, as by all programs; a program that adds to an archive writes such ones.',
    '--existing rename keeps all of them.',
  ),
  'name-collision': verdict(
    'warning',
    'name is like another but for case or Unicode forms, or a file where a folder has to be',
    'names are like others but for case or Unicode forms, or files where folders have to be',
    'On Windows and macOS one would take the place of the other.',
  ),
  'local-differs': verdict(
    'warning',
    'entry is told otherwise by the header before its data than by the directory',
    'entries are told otherwise by the headers before their data than by the directory',
    'Programs that read the one see another archive than those that read the other. The directory was believed.',
    'Do not rely on what another program said of this archive.',
  ),
  'control-name': verdict(
    'warning',
    'name holds characters that steer a terminal or hide',
    'names hold characters that steer a terminal or hide',
  ),
  'windows-name': verdict('note', 'name cannot be used on Windows', 'names cannot be used on Windows'),
  'name-encoding': verdict(
    'note',
    'name does not say its encoding',
    'names do not say their encoding',
    undefined,
    '--encoding NAME says another one.',
  ),
  'special-mode': verdict(
    'note',
    'file was to be setuid, setgid or sticky, and is not',
    'files were to be setuid, setgid or sticky, and are not',
  ),
  'folder-data': verdict(
    'warning',
    'folder has content, which was left out',
    'folders have content, which was left out',
  ),
  unfinished: verdict(
    'warning',
    'file had not been reached when it ended',
    'files had not been reached when it ended',
    undefined,
    'The same command goes on from there.',
  ),
  // Of the whole archive.
  truncated: verdict(
    'warning',
    'directory breaks off or is damaged',
    'directories break off or are damaged',
    'What comes after it in the directory is not known.',
    DAMAGED,
  ),
  prepended: verdict(
    'note',
    'archive has something before it',
    'archives have something before them',
    'It is a program that unpacks itself, or something was glued on.',
  ),
  padding: verdict('note', 'archive is filled up with zeros', 'archives are filled up with zeros'),
  'trailing-bytes': verdict(
    'warning',
    'archive has bytes behind its end',
    'archives have bytes behind their end',
    'Something was glued on, or it was written over a longer file.',
  ),
  'two-ends': verdict(
    'warning',
    'archive has two ends',
    'archives have two ends',
    'Programs that believe the other one see another archive. The last was believed.',
  ),
  count: verdict(
    'warning',
    'archive counts its entries wrongly',
    'archives count their entries wrongly',
    'Its end record tells another number than the directory has.',
  ),
} as const satisfies Readonly<Record<string, Verdict>>

export type Told = keyof typeof verdicts

/** All of them: their places number them, where a number is all that fits. */
export const told = Object.keys(verdicts) as readonly Told[]

const EXAMPLES = 5

interface Met {
  readonly count: number
  readonly examples: readonly { readonly name: string; readonly detail: string }[]
}
export type TallyState = ReadonlyMap<Told, Met>

/** How often what was met, with the first names of each. */
export class Tally {
  readonly #met: Map<Told, Met>

  constructor(state: TallyState = new Map()) {
    this.#met = new Map(state)
  }

  get state(): TallyState {
    return this.#met
  }

  /** `detail`: what was met there, in a few words; may come from outside. */
  add(what: Told, name: string, detail = '', count = 1): void {
    this.#add(what, { count, examples: [{ name, detail }] })
  }

  take(state: TallyState): void {
    for (const [what, met] of state) this.#add(what, met)
  }

  #add(what: Told, { count, examples }: Met): void {
    const before = this.#met.get(what) ?? { count: 0, examples: [] }
    this.#met.set(what, {
      count: before.count + count,
      examples:
        before.examples.length < EXAMPLES ? [...before.examples, ...examples].slice(0, EXAMPLES) : before.examples,
    })
  }

  /** The gravest first. `archive`: its name. */
  findings(archive: string): Finding[] {
    const all = told.flatMap((what) => {
      const met = this.#met.get(what)
      return met === undefined ? [] : [findingOf(what, verdicts[what], met, archive)]
    })
    return all.sort((one, other) => rank(one) - rank(other))
  }
}

const rank = ({ severity }: Finding) => (severity === 'note' ? 1 : 0)

function findingOf(
  what: Told,
  { severity, one, many, cause, remedy }: Verdict,
  { count, examples }: Met,
  archive: string,
): Finding {
  return {
    code: `zip.${what}`,
    severity,
    subject: archive,
    says: `${counted(count)} ${count === 1 ? one : many}`,
    ...(cause === undefined ? {} : { cause }),
    confidence: 'measured',
    quantities: { entries: { value: count, unit: '1' } },
    evidence: examples.map(({ name, detail }) => ({ source: name, text: detail })),
    remedy: remedy === undefined ? [] : [remedy],
  }
}
