/** Causes of slow logins, each as it comes about really, and what has to be said of it. */
import { join } from 'node:path'
import { busWithoutLogind, lateSshd, silentBus, slowAgent, way } from './between.ts'
import { reverseName } from './dns.ts'
import { PASSWORD } from './files.ts'
import { ADDRESSES, HOST, type Lab } from './lab.ts'

export interface Plant {
  readonly name: string
  readonly plant: (lab: Lab) => unknown
  /** How somebody logs in who has to wait: to run a command, or for a shell. */
  readonly login?: 'shell'
  readonly found: {
    /** One of these is the first that is found. */
    readonly codes: readonly string[]
    /** What the login takes longer, about; Infinity: it does not end. The test measures it by itself. */
    readonly seconds: number
    /** sshd puts up to as much again on top of it, by chance: it hides how long a refusal took (auth2.c). */
    readonly isPadded?: true
    /** It is told, and nothing is to be done. */
    readonly isNote?: true
  }
  /**
   * How it comes to be measured, where it is more than likely: a change takes the wait away, or somebody else than ssh
   * waits for the same.
   */
  readonly proof?: 'tried' | 'asked'
  /** Where a password is typed. */
  readonly password?: string
  /** Runs only where it is asked for: it takes minutes. */
  readonly isLong?: true
}

const found = (seconds: number, ...codes: readonly string[]) => ({ seconds, codes })
const padded = (seconds: number, ...codes: readonly string[]) => ({ seconds, codes, isPadded: true }) as const

const config = (line: string) => (lab: Lab) => lab.sshConfig(`Host *\n    ${line}`)

/** Waits of the DNS as they are where nobody has set anything. */
const DNS_SECONDS = 5
const QUICKER = `nameserver ${ADDRESSES.resolver}\noptions timeout:1\n`

/** What waits by itself waits that long: more than a login takes, and no more than has to be. */
const NAP_SECONDS = 1.5
const NAP = `sleep ${NAP_SECONDS}`

export const clientNames = [reverseName(ADDRESSES.client), reverseName(ADDRESSES.client6)]
const serverNames = [reverseName(ADDRESSES.server), reverseName(ADDRESSES.server6)]

/** A module of PAM that waits where it is asked for this, before the others of its kind. */
export function pam({ server }: Lab, kind: 'auth' | 'account' | 'session', type: string): void {
  server.script('/etc/security/slow', NAP)
  const path = `/etc/pam.d/common-${kind}`
  server.write(path, `${kind} optional pam_exec.so quiet type=${type} /etc/security/slow\n${server.read(path)}`)
}

const atHome =
  (file: string, ...lines: readonly string[]) =>
  ({ server }: Lab) =>
    server.write(join(server.home('ops'), file), `${lines.join('\n')}\n`)

/** Somebody whose password plain ssh asks a program for. */
function withPassword(lab: Lab): void {
  const askpass = join(lab.client.home('root'), 'askpass')
  lab.client.script(askpass, `echo '${PASSWORD}'`)
  lab.sshConfig('Host *\n    PubkeyAuthentication no')
  lab.env.SSH_ASKPASS = askpass
  lab.env.SSH_ASKPASS_REQUIRE = 'force'
}

function withWindows(lab: Lab): void {
  const xauth = join(lab.client.home('root'), 'slow-xauth')
  lab.client.script(xauth, NAP, 'exec xauth "$@"')
  lab.sshConfig(`Host *\n    ForwardX11 yes\n    XAuthLocation ${xauth}`)
  lab.env.DISPLAY = ':7'
}

export const named = {
  aaaaDropped: {
    name: 'a resolver that does not answer queries for AAAA',
    proof: 'asked',
    plant: (lab) => {
      lab.client.write('/etc/resolv.conf', QUICKER)
      lab.rules({ type: 'AAAA', from: 'client', answer: 'drop' })
    },
    found: found(3, 'ssh.lookup'),
  },
  motd: {
    name: 'a script of the message of the day',
    plant: ({ server }) => server.script('/etc/update-motd.d/50-updates', NAP, 'echo 3 updates'),
    found: found(NAP_SECONDS, 'ssh.session'),
  },
  proxyCommand: {
    name: 'a proxy command that takes its time',
    proof: 'tried',
    plant: config(`ProxyCommand sh -c '${NAP}; exec socat - TCP:%h:%p'`),
    found: found(NAP_SECONDS, 'ssh.proxy'),
  },
  bashrc: {
    name: '.bashrc, which is read for a command as well',
    proof: 'tried',
    plant: atHome('.bashrc', NAP),
    found: found(NAP_SECONDS, 'ssh.shell'),
  },
  ptrLate: {
    name: 'UseDNS, with a name for the address of the client that comes late',
    plant: async (lab) => {
      await lab.sshd('UseDNS yes')
      lab.rules(...clientNames.map((name) => ({ name, from: 'server', delayMs: NAP_SECONDS * 1000 }) as const))
    },
    found: padded(NAP_SECONDS, 'ssh.auth-start'),
  },
  pamSession: {
    name: 'a module of PAM that opens the session',
    plant: (lab) => pam(lab, 'session', 'open_session'),
    found: found(NAP_SECONDS, 'ssh.session'),
  },
  pamAccount: {
    name: 'a module of PAM that looks at the account',
    plant: (lab) => pam(lab, 'account', 'account'),
    found: found(NAP_SECONDS, 'ssh.account'),
  },
  gssapi: {
    name: 'GSSAPI on both sides, and no answer for the address of the server',
    proof: 'asked',
    plant: async (lab) => {
      lab.client.write('/etc/resolv.conf', QUICKER)
      await lab.sshd('GSSAPIAuthentication yes')
      lab.rules(...serverNames.map((name) => ({ name, from: 'client', answer: 'drop' }) as const))
    },
    found: found(4, 'ssh.gssapi'),
  },
  agent: {
    name: 'an agent that is slow to say which keys it has',
    proof: 'tried',
    plant: (lab) => slowAgent(lab, 'list', NAP_SECONDS),
    found: found(NAP_SECONDS, 'ssh.agent'),
  },
} satisfies Record<string, Plant>

export const plants: readonly Plant[] = [
  ...Object.values(named),
  {
    name: 'the first of two resolvers is dead',
    proof: 'asked',
    plant: ({ client }) =>
      client.write('/etc/resolv.conf', `nameserver ${ADDRESSES.deadResolver}\nnameserver ${ADDRESSES.resolver}\n`),
    found: found(DNS_SECONDS, 'ssh.lookup'),
  },
  {
    name: 'a search list, and a late answer for its first domain',
    proof: 'asked',
    plant: (lab) => {
      lab.client.write('/etc/resolv.conf', `nameserver ${ADDRESSES.resolver}\nsearch corp.test lab.test\n`)
      lab.sshConfig(`Host ${HOST}\n    Hostname web1\n    HostKeyAlias ${HOST}`)
      lab.rules({ name: 'web1.corp.test', answer: 'nxdomain', delayMs: NAP_SECONDS * 1000 })
    },
    found: found(NAP_SECONDS, 'ssh.lookup'),
  },
  {
    name: 'an IPv6 address at which nobody is',
    proof: 'asked',
    plant: (lab) => {
      lab.record('AAAA', HOST, ADDRESSES.dead6)
      lab.sshConfig('Host *\n    ConnectTimeout 2')
    },
    found: found(2, 'ssh.address'),
  },
  {
    name: 'two IPv4 addresses, at the first of which nobody is',
    proof: 'asked',
    plant: (lab) => {
      lab.record('AAAA', HOST)
      lab.record('A', HOST, ADDRESSES.dead, ADDRESSES.server)
      lab.sshConfig('Host *\n    ConnectTimeout 2')
    },
    found: found(2, 'ssh.address'),
  },
  {
    name: 'a server that is late to say its first line',
    plant: (lab) => lateSshd(lab, NAP_SECONDS),
    found: found(NAP_SECONDS, 'ssh.banner'),
  },
  {
    name: 'a TCP wrapper with a name, and no answer for the address of the client',
    plant: (lab) => {
      lab.server.write('/etc/hosts.allow', 'sshd: .lab.test\n')
      lab.server.write('/etc/hosts.deny', 'sshd: .other.test\n')
      lab.server.write('/etc/resolv.conf', QUICKER)
      lab.rules(...clientNames.map((name) => ({ name, from: 'server', answer: 'drop' }) as const))
    },
    found: found(2, 'ssh.banner'),
  },
  {
    name: 'a way on which big packets get lost',
    proof: 'tried',
    plant: (lab) => way(lab, { bytesMax: 1300 }),
    found: found(Infinity, 'ssh.kex'),
  },
  {
    name: 'a long way',
    plant: (lab) => way(lab, { delayMs: 100 }),
    found: { ...found(2.6, 'ssh.spread'), isNote: true },
  },
  {
    name: 'VerifyHostKeyDNS, and nobody who answers',
    proof: 'asked',
    plant: (lab) => {
      config('VerifyHostKeyDNS yes')(lab)
      lab.rules({ type: 'SSHFP', answer: 'drop' })
      lab.client.write('/etc/resolv.conf', QUICKER)
    },
    found: found(2, 'ssh.hostkey-dns'),
  },
  {
    name: 'a command that knows the keys of servers',
    plant: (lab) => {
      const path = join(lab.client.home('root'), 'known')
      lab.client.script(path, NAP)
      config(`KnownHostsCommand ${path} %H`)(lab)
    },
    found: found(2 * NAP_SECONDS, 'ssh.hostkey'),
  },
  {
    name: 'UseDNS, and nobody who answers',
    plant: async (lab) => {
      await lab.sshd('UseDNS yes')
      lab.rules(...clientNames.map((name) => ({ name, from: 'server', answer: 'drop' }) as const))
    },
    found: padded(10, 'ssh.auth-start'),
  },
  {
    name: 'a command that knows the keys of users',
    plant: (lab) => {
      const keys = lab.server.read(join(lab.server.home('ops'), '.ssh/authorized_keys'))
      lab.server.script('/etc/ssh/keys', NAP, `echo '${keys.trim()}'`)
      return lab.sshd('AuthorizedKeysFile none\nAuthorizedKeysCommand /etc/ssh/keys\nAuthorizedKeysCommandUser nobody')
    },
    found: padded(2 * NAP_SECONDS, 'ssh.keys'),
  },
  {
    name: 'a system bus on which systemd-logind never comes to be there',
    plant: (lab) => busWithoutLogind(lab),
    found: found(25, 'ssh.session-dbus'),
  },
  {
    name: 'a system bus that says nothing',
    plant: silentBus,
    found: found(90, 'ssh.session-dbus'),
    isLong: true,
  },
  {
    name: 'a systemd-logind that is on the bus, and does not answer',
    plant: (lab) => busWithoutLogind(lab, 300),
    found: found(120, 'ssh.session-dbus'),
    isLong: true,
  },
  {
    name: '.bash_profile, which only a shell reads that somebody logs in to',
    plant: atHome('.bash_profile', NAP),
    login: 'shell',
    found: found(NAP_SECONDS, 'ssh.shell'),
  },
  {
    name: 'a script in /etc/profile.d',
    plant: ({ server }) => server.write('/etc/profile.d/modules.sh', `${NAP}\n`),
    login: 'shell',
    found: found(NAP_SECONDS, 'ssh.shell'),
  },
  {
    name: 'a command that the key is for',
    plant: ({ server }) => {
      const path = join(server.home('ops'), '.ssh/authorized_keys')
      server.write(path, `command="${NAP}" ${server.read(path)}`)
    },
    found: found(NAP_SECONDS, 'ssh.shell'),
  },
  { name: '.ssh/rc', proof: 'tried', plant: atHome('.ssh/rc', NAP), found: found(NAP_SECONDS, 'ssh.shell') },
  {
    name: 'a program in the background that holds the output',
    plant: atHome('.bashrc', `${NAP} &`),
    found: found(NAP_SECONDS, 'ssh.close'),
  },
  {
    name: 'a condition in the settings of the client',
    proof: 'tried',
    plant: (lab) => lab.sshConfig(`Match exec "${NAP}"\n    Compression no`),
    found: found(NAP_SECONDS, 'ssh.client'),
  },
  {
    name: 'an agent that is slow to sign',
    proof: 'tried',
    plant: (lab) => slowAgent(lab, 'sign', NAP_SECONDS),
    found: found(NAP_SECONDS, 'ssh.sign'),
  },
  { name: 'a slow xauth', proof: 'tried', plant: withWindows, found: found(NAP_SECONDS, 'ssh.xauth') },
  {
    name: 'a module of PAM that checks the password',
    password: PASSWORD,
    plant: (lab) => {
      withPassword(lab)
      pam(lab, 'auth', 'auth')
    },
    found: padded(NAP_SECONDS, 'ssh.password'),
  },
]

/** Two of them at once. */
export const pairs: readonly (readonly [Plant, Plant])[] = [
  [named.aaaaDropped, named.motd],
  [named.proxyCommand, named.bashrc],
  [named.ptrLate, named.pamSession],
  [named.gssapi, named.pamAccount],
  [named.agent, named.motd],
  [named.pamAccount, named.bashrc],
]
