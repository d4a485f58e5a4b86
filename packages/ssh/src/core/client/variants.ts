/** Ways to log in, each of which changes one thing. */

export interface Variant {
  readonly name: string
  /** As it stands in a table and in a sentence: `with -4`, `without GSSAPI`. */
  readonly says: string
  /** Before those of the user: of an option that is given twice, ssh takes the first. */
  readonly options: readonly string[]
  /** After those of the user. */
  readonly after?: readonly string[]
  readonly wants: 'command' | 'shell' | 'sftp' | 'nothing'
  /** Without SSH_AUTH_SOCK. */
  readonly hasNoAgent?: true
}

/** The login that all others are compared with. */
export const COMMAND: Variant = { name: 'command', says: 'ssh HOST true', options: [], wants: 'command' }
/** A login shell, which ends at once since it has nothing to read; nothing is typed into it. */
export const SHELL: Variant = { name: 'shell', says: 'a login shell', options: [], wants: 'shell' }

const option = (...settings: readonly string[]) => settings.flatMap((one) => ['-o', one])
const same = (name: string, says: string, ...settings: readonly string[]): Variant => ({
  name,
  says,
  options: option(...settings),
  wants: 'command',
})

export const SFTP: Variant = { name: 'sftp', says: 'with sftp, no command', options: [], wants: 'sftp' }
export const NOTHING: Variant = { name: 'nothing', says: 'with nothing to run (-N)', options: [], wants: 'nothing' }
export const IPV4: Variant = { name: 'ipv4', says: 'with -4', options: ['-4'], wants: 'command' }
export const IPV6: Variant = { name: 'ipv6', says: 'with -6', options: ['-6'], wants: 'command' }
/** A proxy command that is given first keeps ssh from a jump host too. */
export const NO_PROXY = same('no-proxy', 'without the proxy', 'ProxyCommand=none')
export const NO_DNS_KEY = same('no-dns-key', 'without VerifyHostKeyDNS', 'VerifyHostKeyDNS=no')
export const NO_KEY_COMMAND = same('no-key-command', 'without KnownHostsCommand', 'KnownHostsCommand=none')
export const NO_X11: Variant = { name: 'no-x11', says: 'with -x', options: ['-x'], wants: 'command' }

type Values = ReadonlyMap<string, readonly string[]>

/** Options that not every ssh knows are given only where `ssh -G` names them. */
const known = (settings: Values, ...names: readonly string[]) =>
  names.filter((name) => settings.has(name.split('=')[0]!.toLowerCase()))

export const withoutGssapi = (settings: Values): Variant =>
  same('no-gssapi', 'without GSSAPI', 'GSSAPIAuthentication=no', ...known(settings, 'GSSAPIKeyExchange=no'))

export const withoutAgent = (settings: Values): Variant => ({
  ...same('no-agent', 'without the agent', ...known(settings, 'IdentityAgent=none', 'PKCS11Provider=none')),
  hasNoAgent: true,
})

/** By its address; its key is looked for under its name, as known_hosts has it. */
export const byAddress = (address: string, name: string): Variant =>
  same('by-address', `by address (${address})`, `HostName=${address}`, `HostKeyAlias=${name}`)

/** Few algorithms, so that the first packets are small: those that were agreed upon, or what everybody knows. */
export function smallPackets(hostKey: string | undefined): Variant {
  return same(
    'small-packets',
    'with small first packets',
    'KexAlgorithms=curve25519-sha256,curve25519-sha256@libssh.org,diffie-hellman-group14-sha256',
    `HostKeyAlgorithms=${hostKey ?? 'ssh-ed25519,ecdsa-sha2-nistp256,rsa-sha2-256'}`,
    'Ciphers=aes128-ctr,aes256-ctr',
    'MACs=hmac-sha2-256',
  )
}

/** Without the client's files, and with what they say of where to go and who one is. */
export function withoutFiles(settings: Values): Variant {
  const kept = [
    ...['hostname', 'user', 'port', 'identityfile', 'certificatefile', 'identityagent', 'proxycommand'],
    ...['userknownhostsfile', 'globalknownhostsfile', 'hostkeyalias', 'stricthostkeychecking'],
  ]
  const words = kept.flatMap((name) =>
    (settings.get(name) ?? [])
      .filter((value) => value !== '' && value !== 'none')
      // Only names of files are several, and parted by blanks.
      .map((value) => (name === 'identityfile' ? `${name}="${value}"` : `${name}=${value}`)),
  )
  return {
    ...same('no-files', 'without ~/.ssh/config and /etc/ssh/ssh_config', ...words),
    after: ['-F', '/dev/null'],
  }
}
