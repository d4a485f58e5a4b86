/** The stack of PAM modules that sshd runs through at a login, in order (pam.d(5)). */

export interface PamLine {
  readonly type: 'auth' | 'account' | 'password' | 'session'
  /** `required`, or `[success=1 default=ignore]`. */
  readonly control: string
  /** `pam_systemd`, without folder and `.so`. */
  readonly module: string
  readonly args: readonly string[]
  readonly file: string
  readonly line: number
}

/** The text of a file of PAM by its name; undefined: there is none. */
export type PamFile = (name: string) => { readonly file: string; readonly text: string } | undefined

const DEPTH_MAX = 32
const LINES_MAX = 2000
const TYPES = ['auth', 'account', 'password', 'session'] as const

/** What has no lines of its own takes those of `other`. */
export function readPam(service: string, from: PamFile): PamLine[] {
  const own = new Reading(from).read(service, null, 0)
  const missing = TYPES.filter((type) => !own.some((one) => one.type === type))
  const other = missing.length === 0 ? [] : new Reading(from).read('other', null, 0)
  return [...own, ...other.filter(({ type }) => missing.includes(type))]
}

class Reading {
  readonly #from: PamFile
  #left = LINES_MAX

  constructor(from: PamFile) {
    this.#from = from
  }

  /** `only`: the lines of one type, as `include` takes them. */
  read(name: string, only: string | null, depth: number): PamLine[] {
    const found = depth > DEPTH_MAX ? undefined : this.#from(name)
    if (found === undefined) return []
    return logicalLines(found.text).flatMap(({ text, line }) => {
      if (this.#left-- <= 0) return []
      return this.#line(text, { file: found.file, line }, only, depth)
    })
  }

  #line(text: string, place: Pick<PamLine, 'file' | 'line'>, only: string | null, depth: number): PamLine[] {
    const included = /^@include\s+(\S+)/.exec(text)?.[1]
    if (included !== undefined) return this.read(included, only, depth + 1)
    const match = /^-?(\w+)\s+(\[[^\]]*\]|\S+)\s+(\S+)\s*(.*)$/.exec(text)
    if (match === null) return []
    const [, rawType = '', control = '', path = '', rest = ''] = match
    const type = TYPES.find((one) => one === rawType.toLowerCase())
    if (type === undefined || (only !== null && only !== type)) return []
    if (/^(?:include|substack)$/i.test(control)) return this.read(path, type, depth + 1)
    const module = path.replace(/^.*\//, '').replace(/\.so$/, '')
    return [{ type, control, module, args: argsOf(rest), ...place }]
  }
}

/** A line that ends with a backslash goes on in the next; what a # begins is a remark. */
function logicalLines(text: string): { readonly text: string; readonly line: number }[] {
  const lines: { text: string; line: number }[] = []
  let open = null as { text: string; line: number } | null
  for (const [i, raw] of text.split('\n').entries()) {
    const bare = raw.replace(/(^|\s)#.*$/, '$1').trimEnd()
    const goesOn: boolean = bare.endsWith('\\')
    const part = (goesOn ? bare.slice(0, -1) : bare).trim()
    open = { text: open === null ? part : `${open.text} ${part}`, line: open?.line ?? i + 1 }
    if (goesOn) continue
    if (open.text !== '') lines.push(open)
    open = null
  }
  if (open !== null && open.text !== '') lines.push(open)
  return lines
}

/** An argument in brackets may hold blanks. */
const argsOf = (text: string) =>
  Array.from(text.matchAll(/\[((?:[^\]\\]|\\.)*)\]|\S+/g), ([whole, inner]) => inner?.replaceAll('\\]', ']') ?? whole)

/** What a module waits for when it is slow; one that is not named here does its work in the machine's memory. */
const WAITS_FOR: Readonly<Record<string, string>> = {
  pam_systemd: 'systemd-logind, over D-Bus: 25 s without an answer, newer ones 2 min',
  pam_systemd_home: 'systemd-homed, over D-Bus',
  pam_elogind: 'elogind, over D-Bus',
  pam_ck_connector: 'ConsoleKit, over D-Bus',
  pam_oddjob_mkhomedir: 'oddjobd, over D-Bus',
  pam_motd: 'the scripts of /etc/update-motd.d, on Debian and Ubuntu',
  pam_exec: 'the program that it runs',
  pam_script: 'the scripts that it runs',
  pam_python: 'the script that it runs',
  pam_mount: 'file systems that it mounts',
  pam_mkhomedir: 'the home folder that it makes',
  pam_lastlog: '/var/log/lastlog, and all of /var/log/btmp with showfailed',
  pam_lastlog2: 'the database of last logins',
  pam_mail: "the user's mail folder",
  pam_sss: 'sssd, and the directory behind it',
  pam_ldap: 'the LDAP directory',
  pam_winbind: 'winbindd, and the domain behind it',
  pam_krb5: 'Kerberos, and its names in DNS',
  pam_krb5_migrate: 'Kerberos, and its names in DNS',
  pam_afs_session: 'AFS, and Kerberos',
  pam_access: 'names of hosts and groups, looked up in DNS or a directory',
  pam_group: 'groups, in the directory',
  pam_radius_auth: 'the RADIUS server',
  pam_tacplus: 'the TACACS+ server',
  pam_duo: 'a server of Duo',
  pam_google_authenticator: "a file in the user's home folder",
  pam_tally2: 'its file',
  pam_faillock: 'its file, and audit',
  pam_abl: 'its database',
  pam_namespace: 'its script, and mounts',
  pam_xauth: 'xauth',
  pam_ssh_agent_auth: 'the agent',
  pam_ecryptfs: 'file systems that it mounts',
  pam_fscrypt: 'keys of the file system',
  pam_gnome_keyring: 'a daemon that it starts',
  pam_unix: "the user's entry, where /etc/nsswitch.conf sends it to a directory",
}

/** What this line may wait for; undefined: nothing that takes time. */
export const waitsFor = ({ module, args }: PamLine): string | undefined =>
  module === 'pam_motd' && args.includes('noupdate') ? undefined : WAITS_FOR[module]

/** The scripts of pam_motd are run unless it was told otherwise (pam_motd of Debian). */
export const motdLine = (stack: readonly PamLine[]): PamLine | undefined =>
  stack.find(({ type, module, args }) => type === 'session' && module === 'pam_motd' && !args.includes('noupdate'))

/** The program of a pam_exec: the first argument that is a path. */
export const execPath = ({ module, args }: PamLine): string | undefined =>
  module === 'pam_exec' || module === 'pam_script' ? args.find((one) => one.startsWith('/')) : undefined
