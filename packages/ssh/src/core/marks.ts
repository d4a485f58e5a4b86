/** Which line of a client (OpenSSH 6.6 to 10) begins which part of a login. */
import type { Line } from './log.ts'
import type { PhaseKind } from './phase.ts'

/** Where one is, while the lines go by. */
export interface Place {
  kind: PhaseKind
  subject: string
}

/** What lines have told so far that decides what later ones mean. */
export interface Memory {
  readonly level: number
  /** -vvv of 6.9 and newer names each packet. */
  readonly hasPackets: boolean
  /** What came on standard output is in the log. */
  readonly hasOutput: boolean
  place: Place
  software: string | null
  offered: readonly string[] | null
  method: string
  mechanism: number
  readonly failedAddresses: Map<string, Line>
  proxyLine: Line | null
  dnsHostKeyLine: Line | null
  keySourceLine: Line | null
  hasChannel: boolean
  requested: 'shell' | 'command' | 'subsystem' | null
  isAccepted: boolean
  isShared: boolean
}

export interface Mark {
  readonly pattern: RegExp
  /** Where one is from this line on; undefined: still there. */
  readonly to: PhaseKind | ((memory: Memory, match: RegExpExecArray, line: Line) => Place | PhaseKind | undefined)
}

const mark = (pattern: RegExp, to: Mark['to']): Mark => ({ pattern, to })

const BEFORE: readonly Mark[] = [
  mark(/^(?:resolving "|resolve_host: |resolve_canonicalize: )/, 'lookup'),
  // Without -vv nothing tells of the lookup: what comes after the settings are read is that.
  mark(/^(?:Reading configuration data|\S+ line \d+: Applying options)/, ({ level }) =>
    level === 1 ? 'lookup' : 'client',
  ),
  mark(/^ssh_connect(?:_direct)?: /, 'client'),
  // A connection that is there already is used once more.
  mark(/^mux_client_(?:hello_exchange|request_session): /, (memory) => {
    memory.isShared = true
    return 'use'
  }),
  // What comes later may be the word of the server.
  mark(/^Connecting to \S+ \[(\S+)\] port /, ({ software }, [, address = '']) =>
    software === null ? { kind: 'address', subject: address } : undefined,
  ),
  mark(/^connect to address (\S+) port \d+: /, ({ failedAddresses }, [, address = ''], line) => {
    failedAddresses.set(address, line)
    return undefined
  }),
  mark(/^(?:Connection established|identity file |key_load_)/, 'client'),
  mark(/^(?:Executing proxy |Setting implicit ProxyCommand)/, (memory, _, line) => {
    memory.proxyLine ??= line
    return 'proxy'
  }),
  mark(/^Local version string /, ({ proxyLine }) => (proxyLine === null ? 'banner' : 'proxy')),
]

const KEY_EXCHANGE: readonly Mark[] = [
  mark(/^Remote protocol version \S+ remote software version (.*)/, (memory, [, software = '']) => {
    memory.software = software
    return 'kex'
  }),
  // Which kinds of keys of the server it knows is looked up before it says which it would like.
  mark(/^Authenticating to \S+ as /, ({ place }) => (place.kind === 'kex' ? 'hostkey' : undefined)),
  mark(/^(?:SSH2_MSG_KEXINIT sent|send packet: type 20$)/, 'kex'),
  mark(/^Server host key: /, 'hostkey'),
  mark(/^The authenticity of host /, 'typing'),
  mark(/^(?:verify_host_key_dns|DNS lookup error)/, (memory, _, line) => {
    memory.dnsHostKeyLine ??= line
    return undefined
  }),
  mark(/^(?:SSH2_MSG_NEWKEYS sent|send packet: type 21$)/, 'kex'),
  mark(/^SSH2_MSG_NEWKEYS received/, 'agent'),
  mark(/^(?:SSH2_MSG_SERVICE_REQUEST sent|send packet: type 5$|SSH2_MSG_SERVICE_ACCEPT received)/, 'start'),
]

const METHODS: Readonly<Record<string, PhaseKind>> = { publickey: 'publickey', 'keyboard-interactive': 'interactive' }

const isKeys = ({ method }: Memory) => method === 'publickey'

const METHOD: readonly Mark[] = [
  mark(/^Authentications that can continue: (.*)/, (memory, [, list = '']) => {
    memory.offered ??= list.split(',').map((name) => name.trim())
    return isKeys(memory) ? 'publickey' : undefined
  }),
  mark(/^Next authentication method: (\S+)/, (memory, [, method = '']) => {
    memory.method = method
    if (method.startsWith('gssapi')) return { kind: 'gssapi', subject: `mechanism ${++memory.mechanism}` }
    // Somebody types until it is sent; where nothing tells when it is, that is one with the answer.
    if (method === 'password') return memory.level === 1 ? 'password' : 'typing'
    return METHODS[method] ?? { kind: 'method', subject: method }
  }),
  // Each mechanism of Kerberos fails by itself.
  mark(/^(?:Unspecified GSS failure|No credentials were supplied|Miscellaneous failure)/, (memory) =>
    memory.place.kind === 'gssapi' ? { kind: 'gssapi', subject: `mechanism ${++memory.mechanism}` } : undefined,
  ),
  mark(/^(?:Offering (?:\S+ )?public key: |we sent a publickey packet)/, 'keys'),
  mark(/^(?:receive packet: type 60$|Server accepts key|sign_and_send_pubkey)/, (memory) =>
    isKeys(memory) ? (memory.hasPackets ? 'sign' : 'account') : undefined,
  ),
  mark(/^Enter passphrase for /, 'typing'),
  mark(/^send packet: type 50$/, (memory) => {
    const { kind } = memory.place
    if (kind === 'sign' || (kind === 'typing' && isKeys(memory))) return 'account'
    return kind === 'typing' ? 'password' : undefined
  }),
  mark(/^we sent a password packet/, 'password'),
  mark(/^input_userauth_info_req/, 'typing'),
  mark(/^send packet: type 61$/, ({ method }) => (method === 'keyboard-interactive' ? 'interactive' : undefined)),
  mark(/^(?:Authentication succeeded|Authenticated to |receive packet: type 52$)/, 'session'),
]

const isBeforeSession = ({ place }: Memory) => !['session', 'channel', 'request', 'xauth'].includes(place.kind)

const SESSION: readonly Mark[] = [
  mark(/^(?:Entering interactive session|pledge: (?:network|exec))/, (memory) =>
    isBeforeSession(memory) ? 'session' : undefined,
  ),
  mark(/^channel \d+: (?:new|send open)/, (memory) => {
    memory.hasChannel = true
    return isBeforeSession(memory) ? 'session' : undefined
  }),
  // Only -N opens no channel: then it is ready. Without -vv nothing tells when a shell is.
  mark(/^(?:receive packet: type 80$|client_input_global_request: rtype hostkeys)/, ({ place, hasChannel, level }) =>
    place.kind !== 'session' ? undefined : hasChannel && level > 1 ? 'channel' : 'use',
  ),
  mark(/^Remote: (.*): key options/, (memory, _, line) => {
    memory.keySourceLine ??= line
    return undefined
  }),
  mark(
    /^(?:receive packet: type 91$|(?:channel_input_open_confirmation: .*)?callback start|client_session2_setup)/,
    () => 'request',
  ),
  mark(/^Sending (command|subsystem): /, (memory, [, what]) => {
    memory.requested = what as 'command' | 'subsystem'
    return memory.level === 1 ? 'first' : 'request'
  }),
  mark(/^channel \d+: request shell/, (memory) => {
    memory.requested = 'shell'
    return undefined
  }),
  mark(/^(?:client_)?x11_get_proto/, 'xauth'),
  mark(/^Requesting X11 forwarding/, 'request'),
  mark(/^(exec|shell|subsystem) request accepted/, (memory, [, what]) => {
    memory.isAccepted = true
    memory.requested ??= what === 'exec' ? 'command' : (what as 'shell' | 'subsystem')
    // Of a shell whose output is not in the log nothing tells when it was there.
    return what === 'exec' || (what === 'shell' && memory.hasOutput) ? 'first' : 'use'
  }),
]

/** A pattern of the beginnings of lines. */
const begins = (...beginnings: readonly string[]) => new RegExp(`^(?:${beginnings.join('|')})`)

const CLIENT_END = begins(
  'receive packet: type 9[67]$',
  'client_input_channel_req: channel \\d+ rtype exit-',
  'channel \\d+: rcvd (?:eof|close)',
  'Connection to \\S+ closed',
  'Transferred: ',
)

export interface Marks {
  /** The first that fits a line is the one that counts. */
  readonly all: readonly Mark[]
  /** Fits where any of them does: most lines of a long log are none. */
  readonly any: RegExp
  /** What ends a session that was there. */
  readonly end: RegExp
}

const together = (end: RegExp, all: readonly Mark[]): Marks => ({
  all,
  end,
  any: new RegExp(all.map(({ pattern }) => pattern.source).join('|')),
})

export const CLIENT_MARKS = together(CLIENT_END, [...BEFORE, ...KEY_EXCHANGE, ...METHOD, ...SESSION])

/** Lines by which a login that fails says so. */
export const FAILURE = begins(
  'Permission denied(?!, please)',
  '\\S+: Permission denied',
  'Connection (?:closed|reset|timed out)',
  'Host key verification failed',
  '(?:kex|ssh)_exchange_identification: ',
  'ssh: ',
  'Received disconnect',
  'Disconnected from',
  'Unable to negotiate',
  'Timeout, server',
  'Connection to \\S+ timed out',
  'Bad owner',
  'Too many authentication failures',
)

/** Of these a server's log is made, and no client's. */
export const SERVER = begins(
  'sshd version ',
  'Server listening on ',
  'rexec start',
  'Forked child ',
  'Connection from \\S+ port ',
  'userauth-request for user ',
  'PAM: initializing',
  'mm_(?:answer|request)_',
  'monitor_read',
)

/** The same of a client. */
export const CLIENT = begins(
  'OpenSSH_\\d',
  'Connecting to ',
  'Executing proxy ',
  'Next authentication method',
  'Authenticating to ',
)

const SERVER_END = begins('Received SIGCHLD', 'session_by_pid', 'session_exit_message')

/** Where a line of sshd -d stands in a login. */
export const SERVER_MARKS = together(SERVER_END, [
  mark(/^Connection from /, 'banner'),
  mark(/^(?:Client protocol version|Remote protocol version)/, 'kex'),
  // What the client sends next is its own business.
  mark(/^(?:KEX done|SSH2_MSG_NEWKEYS received)/, 'idle'),
  mark(/^userauth-request for user \S* service \S+ method (\S+)/, (memory, [, method = '']) => {
    // What was postponed is asked once more, with a signature.
    const isSigned = memory.method === 'postponed'
    memory.method = method
    if (method.startsWith('publickey')) return isSigned ? 'account' : 'keys'
    if (method === 'password') return 'password'
    return method === 'none' ? 'start' : { kind: 'method', subject: method }
  }),
  mark(/^(Postponed|Failed) /, (memory, [, what = '']) => {
    memory.method = what.toLowerCase()
    return 'idle'
  }),
  mark(/^do_pam_account: called/, 'account'),
  mark(/^(?:Accepted \S+ for|PAM: establishing credentials)/, 'session'),
  mark(/^Entering interactive session for SSH2/, 'channel'),
  mark(/^(?:server_input_channel_req|session_input_channel_req|Starting session)/, (memory) => {
    memory.isAccepted = true
    return 'use'
  }),
])
