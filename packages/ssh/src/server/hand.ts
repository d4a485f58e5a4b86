/** The only place where the settings of a server are changed. */
import { chmodSync, existsSync, lstatSync, readFileSync, rmSync, type Stats } from 'node:fs'
import { dirname, join, matchesGlob } from 'node:path'
import { type Io, lookAt, Unseen, writeWhole } from '@fettle/check'
import type { Hand, Item, Plan } from '@fettle/check/change'
import { type Judgement, note } from '@fettle/report'
import { linesIn, pairsOf, withLines } from '../core/server/block.ts'
import { faultOf, isSameValue } from '../core/server/changeable.ts'
import { type Config, type ConfigFiles, readConfig, whichSets } from '../core/server/config.ts'
import type { Facts, ServerPlan } from '../core/server/facts.ts'
import { judge } from '../core/server/judge.ts'
import { isOnlyX, modeText, type Place, planOf, type Wishes } from '../core/server/plan.ts'
import { readStart } from '../core/server/start-words.ts'
import { serverCheck } from './check.ts'
import { alone } from './lock.ts'
import { namedKeys, namedRules, unreadKeys } from './named-keys.ts'
import { pamStack } from './pam.ts'
import { recover, reload, type Serving, serving } from './reload.ts'
import { type Person, personOf } from './run.ts'
import { asRoot, configOf, effectiveOf, findSshd, onDisk, refusalOf, type Sshd } from './sshd.ts'
import { MOTD_FOLDER } from './start.ts'
import { methodsOf, type Tried, whyNoLogin, worse } from './tried.ts'

export interface HandOptions {
  readonly plan: ServerPlan
  readonly wishes: Wishes
  /** Whose login is tried. */
  readonly user: string
  readonly pidFile: string | null
  readonly apply: boolean
}

/** It sorts before what others put there: of most settings the first value counts. */
const OWN_FILE = '00-fettle.conf'
const NEW_MODE = 0o644

export class ServerHand implements Hand {
  readonly #options: HandOptions
  readonly #sshd: Sshd
  readonly #person: Person
  readonly #io: Io

  private constructor(options: HandOptions, sshd: Sshd, person: Person, io: Io) {
    this.#options = options
    this.#sshd = sshd
    this.#person = person
    this.#io = io
  }

  static async open(options: HandOptions, io: Io): Promise<ServerHand> {
    asRoot('ssh change')
    const sshd = await findSshd()
    const { config } = options.plan
    if (!existsSync(config)) throw new Unseen(`${config}: is not there; name the settings of sshd`)
    const person = await personOf(options.user, io.signal)
    return new ServerHand(options, sshd, person, io)
  }

  async plan(): Promise<Plan> {
    const { wishes, pidFile } = this.#options
    const broken = await refusalOf(this.#sshd, this.#config)
    if (broken !== null) throw new Unseen(`${this.#config}: sshd does not take it (${broken}); put that right first`)
    const facts = await this.#look(wishes.set.length > 0)
    const config = configOf(this.#config)
    const place = this.#place(config, namesIn(wishes))
    const modes = facts.motd.map(({ file }) => ({ file, mode: this.#mode(file) }))
    const effective = facts.settings?.effective ?? new Map()
    const stack = facts.pam?.stack ?? pamStack(effective).stack
    const keys = [...namedKeys(effective, config), ...namedRules(stack)]
    const { items, findings } = planOf(wishes, {
      ...{ facts: await this.#forAll(facts), config, place, modes, namedKeys: keys },
      unreadKeys: unreadKeys(effective, config),
    })
    const isSetting = items.some(({ what }) => what === place.file)
    const sshd = isSetting ? await serving(pidFile) : null
    return {
      items,
      findings: sshd?.at.length === 0 ? [...findings, notAsked(this.#config)] : findings,
      unseen: [],
      cannot: sshd === null ? null : await this.#cannot(sshd, items),
      before: wishes.set.length > 0 ? null : judge(facts),
    }
  }

  async read({ what, was }: Item): Promise<string | null> {
    if (isScript(what)) return this.#mode(what)
    const stat = statOf(what)
    if (stat === undefined) return null
    const lines = linesIn(textOf(what, stat))
    // Others may have put theirs into the file that was not there: of ours there is none again.
    return lines === '' && was === null && this.#isOurs(what) ? null : lines
  }

  async make({ what }: Item, value: string | null): Promise<string | null> {
    if (isScript(what)) return changeMode(what, value)
    if (!this.#isOurs(what)) return 'is no file of this sshd'
    const fault = pairsOf(value ?? '').flatMap(([name, text]) => faultOf(name, text) ?? [])[0]
    if (fault !== undefined) return fault
    return await alone(() => this.#write(what, value))
  }

  async persist(): Promise<string | null> {
    return null
  }

  async look(): Promise<Judgement> {
    return judge(await this.#look(false))
  }

  close(): void {}

  get #config(): string {
    return this.#options.plan.config
  }

  /** What is written counts for all, and not only for the user whose login is tried. */
  async #forAll(facts: Facts): Promise<Facts> {
    const effective = await effectiveOf(this.#sshd, this.#config, null)
    if (facts.settings === undefined || effective.size === 0) return facts
    return { ...facts, settings: { ...facts.settings, effective } }
  }

  #isOurs(file: string): boolean {
    return file === this.#config || file === this.#ownFile(configOf(this.#config))
  }

  /** `isShort`: what was asked for needs no more than to know how it is. */
  #look(isShort: boolean): Promise<Facts> {
    const next = isShort
      ? (plan: ServerPlan, facts: Facts) => (facts.done.length > 0 ? undefined : serverCheck.next(plan, facts))
      : serverCheck.next
    return lookAt({ ...serverCheck, next }, this.#options.plan, this.#io)
  }

  /** The first folder that is included and takes files, or else the settings themselves. */
  #ownFile({ includes }: Config): string | undefined {
    const own = includes
      .find(({ match, values }) => match === null && values.some((pattern) => takesOwn(pattern)))
      ?.values.find(takesOwn)
    return own === undefined ? undefined : join(dirname(own), OWN_FILE)
  }

  #place(config: Config, names: readonly string[]): Place {
    const own = this.#ownFile(config)
    const file = own !== undefined && this.#isFirst(own, names) ? own : this.#config
    for (const one of [dirname(file), file]) {
      const stat = statOf(one)
      if (stat?.isSymbolicLink()) throw new Unseen(`${one}: is a link; change it where it leads to, by hand`)
    }
    const stat = statOf(file)
    return { file, was: stat === undefined ? null : linesIn(textOf(file, stat)) }
  }

  /** What would stand there is what would count. */
  #isFirst(own: string, names: readonly string[]): boolean {
    const files: ConfigFiles = {
      text: (file) => (file === own ? names.map((name) => `${name} no\n`).join('') : onDisk.text(file)),
      files: (pattern) => {
        const found = onDisk.files(pattern)
        return found.includes(own) || !matchesGlob(own, pattern)
          ? found
          : [own, ...found].sort((a, b) => (a < b ? -1 : 1))
      },
    }
    const config = readConfig(this.#config, files)
    return names.every((name) => whichSets(config, name)?.file === own)
  }

  #mode(file: string): string | null {
    const stat = isScript(file) ? statOf(file) : undefined
    return stat?.isFile() ? modeText(stat.mode) : null
  }

  /** In one line why nobody could tell afterwards whether one can still log in, or why no file counts. */
  async #cannot(sshd: Serving, items: readonly Item[]): Promise<string | null> {
    const { words } = sshd
    const { config: other, given } = readStart(words)
    if (other !== undefined && other !== this.#config) {
      return `${this.#config}: the sshd that listens reads ${other}; say fettle ssh change ${other}`
    }
    const names = items.flatMap(({ becomes }) => pairsOf(becomes ?? '').map(([name]) => name))
    const fixed = names.find((name) => given.includes(name.toLowerCase()))
    if (fixed !== undefined) return `${this.#config}: sshd is started with -o ${fixed}, which counts more than any file`
    // Each try counts against this machine where sshd has penalties.
    if (!this.#options.apply) return null
    if (sshd.at.length > 0 && (await methodsOf(sshd, this.#person.name)) === null) {
      return `${this.#config}: the sshd that listens does not answer even before; look at that first`
    }
    const refused = await whyNoLogin(this.#sshd, this.#config, this.#person, this.#io.signal)
    if (this.#io.signal.aborted) return `${this.#config}: stopped before anything was changed`
    return refused === null
      ? null
      : `${this.#person.name}: cannot log in here even before (${refused}), so nobody could tell afterwards ` +
          'whether one still can; give a user who may by --user'
  }

  async #write(file: string, value: string | null): Promise<string | null> {
    const { pidFile } = this.#options
    const old = statOf(file)
    const before = old === undefined ? null : textOf(file, old)
    const sshd = await serving(pidFile)
    const tried: Tried = {
      methods: await methodsOf(sshd, this.#person.name),
      refused: await whyNoLogin(this.#sshd, this.#config, this.#person, this.#io.signal),
    }
    const hindrance = this.#hindrance(tried) ?? (contentOf(file) === before ? null : 'others have changed it meanwhile')
    if (hindrance !== null) return hindrance
    const failure = put(file, withValue(before, value), old)
    if (failure !== null) return failure
    const early = (await this.#refused(value)) ?? (await this.#tryNew(tried))
    const why = early ?? (await this.#tryReal(sshd, tried))
    if (why === null) return null
    // What others have written since stays.
    const now = contentOf(file)
    const back = now === withValue(before, value) ? before : withValue(now, linesOrNull(before))
    const lost = put(file, back, statOf(file) ?? old)
    if (lost !== null) throw new Unseen(`${file}: ${why}; and what it was could not be put back (${lost})`)
    const silent = early === null ? await this.#recovered(sshd, tried) : null
    if (silent !== null) throw new Unseen(`${file}: ${why}; the file is as it was, and sshd is not (${silent})`)
    return `${why}; it is as it was`
  }

  /** Why nothing may be written now. What is put back may be what keeps everybody out. */
  #hindrance({ refused }: Tried): string | null {
    if (this.#io.signal.aborted) return 'stopped before it was touched'
    return refused === null || !this.#options.plan.login
      ? null
      : `a login does not work any more even before: ${refused}`
  }

  async #recovered(sshd: Serving, before: Tried): Promise<string | null> {
    const failure = await recover(sshd)
    if (failure !== null || before.methods === null) return failure
    return (await methodsOf(sshd, this.#person.name)) === null ? 'it does not answer' : null
  }

  /** By sshd itself, or by what stands before it. */
  async #refused(value: string | null): Promise<string | null> {
    const refused = await refusalOf(this.#sshd, this.#config)
    if (refused !== null) return `sshd does not take it (${refused})`
    const effective = await effectiveOf(this.#sshd, this.#config, null)
    const other = pairsOf(value ?? '').find(([name, text]) => {
      const is = effective.get(name.toLowerCase())?.[0]
      return is !== undefined && !isSameValue(name, is, text)
    })
    return other === undefined ? null : `${other[0]} stays ${effective.get(other[0].toLowerCase())?.[0]}, set elsewhere`
  }

  /** A whole login by the new settings, before sshd reads them. */
  async #tryNew(before: Tried): Promise<string | null> {
    const refused = await whyNoLogin(this.#sshd, this.#config, this.#person, this.#io.signal)
    // A login that was cut short tells nothing.
    return this.#io.signal.aborted ? 'stopped' : worse(before, { ...before, refused })
  }

  async #tryReal(sshd: Serving, before: Tried): Promise<string | null> {
    const failure = await reload(sshd)
    return failure ?? worse(before, { ...before, methods: await methodsOf(sshd, this.#person.name) })
  }
}

const notAsked = (config: string) =>
  note(
    'ssh.not-asked',
    config,
    'No sshd waits for connections here (systemd may, for it): only a login of ours is tried.',
  )

const namesIn = ({ set }: Wishes) => (set.length > 0 ? set.map(([name]) => name) : ['UseDNS', 'GSSAPIAuthentication'])

const takesOwn = (pattern: string) => /\/(?:\*|\*\.conf)$/.test(pattern) && existsSync(dirname(pattern))

const isScript = (file: string) => dirname(file) === MOTD_FOLDER && !file.endsWith('/..') && !file.endsWith('/.')

function statOf(file: string): Stats | undefined {
  return lstatSync(file, { throwIfNoEntry: false })
}

function textOf(file: string, stat: Stats): string {
  if (stat.isSymbolicLink()) throw new Unseen(`${file}: is a link; change it where it leads to, by hand`)
  if (!stat.isFile()) throw new Unseen(`${file}: is no file`)
  try {
    return readFileSync(file, 'latin1')
  } catch (error) {
    throw new Unseen(`${file}: cannot be read (${(error as NodeJS.ErrnoException).code})`)
  }
}

function contentOf(file: string): string | null {
  const stat = statOf(file)
  return stat === undefined ? null : textOf(file, stat)
}

const linesOrNull = (text: string | null): string | null => (text === null ? null : linesIn(text))

/** A file with these lines of ours; null, and with nothing else in it: no file. */
function withValue(text: string | null, value: string | null): string | null {
  const all = withLines(text ?? '', value ?? '')
  return all === '' && (value === null || text === null) ? null : all
}

/** Null: no such file. Returns why it could not; then it is as it was. */
function put(file: string, text: string | null, old: Stats | undefined): string | null {
  try {
    if (text === null) rmSync(file, { force: true })
    else writeWhole(file, Buffer.from(text, 'latin1'), old ?? { mode: NEW_MODE, uid: 0, gid: 0 })
    return null
  } catch (error) {
    return `${file} cannot be written (${(error as NodeJS.ErrnoException).code})`
  }
}

function changeMode(file: string, value: string | null): string | null {
  const stat = statOf(file)
  if (!stat?.isFile() || !/^[0-7]{4}$/.test(value ?? '')) return 'is no script of its own there'
  if (!isOnlyX(modeText(stat.mode), value!))
    return `is ${modeText(stat.mode)}: only whether it runs is changed from here`
  try {
    chmodSync(file, Number.parseInt(value!, 8))
    return null
  } catch (error) {
    return `its mode cannot be changed (${(error as NodeJS.ErrnoException).code})`
  }
}
