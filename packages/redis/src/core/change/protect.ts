/** What to write into the files of a Redis so that each program may do what it needs and nothing else. Pure. */
import type { Info } from '../read/info.ts'
import type { Settings } from '../read/settings.ts'

/** Text for people to put into files; nothing of it is done from here, and no password is made up. */
export function protectionText(info: Info | undefined, settings: Settings): string {
  const version = /^(\d+)\.(\d+)/.exec(info?.fields.get('redis_version') ?? '7.0')
  const [major, minor] = [Number(version?.[1]), Number(version?.[2])]
  const hasUsers = major >= 6
  const parts = hasUsers
    ? [confText(settings, USERS_CONF), USERS_NOTE, aclText(major > 6 || minor >= 2)]
    : [confText(settings, RENAMES)]
  return `${parts.join('\n')}\n`
}

const MADE = '# Put a password of its own for each <password>; this makes one: openssl rand -hex 32'

const USERS_CONF = [
  '# The file with the users, below. Lines "user ..." may not stand here beside it; requirepass does nothing then.',
  'aclfile /etc/redis/users.acl',
]

/** Before 6.0 there are no users: what is renamed is gone for everybody, a coturn's KEYS too. */
const RENAMES = [
  '# One password for all: this version knows no users (6.0 and newer does).',
  MADE,
  'requirepass <password>',
  '# These are gone for everybody then; a coturn needs KEYS when it starts, and fettle CONFIG.',
  ...['FLUSHALL', 'FLUSHDB', 'DEBUG'].map((name) => `rename-command ${name} ""`),
  ...['KEYS', 'CONFIG'].map((name) => `# rename-command ${name} ""`),
]

function confText(settings: Settings, lines: readonly string[]): string {
  const told = ['bind', 'protected-mode'].flatMap((name) => {
    const value = settings.get(name)
    return value === undefined ? [] : [`# now: ${name} ${value}`.trimEnd()]
  })
  return [
    '# --- redis.conf; it is read when Redis starts',
    ...told,
    '# Only this machine; with others, the address of the network that they are in, and a firewall.',
    'bind 127.0.0.1',
    'protected-mode yes',
    ...lines,
  ].join('\n')
}

const USERS_NOTE = [
  '',
  '# --- /etc/redis/users.acl; only lines "user ..." may stand in it, and only Redis should be able to read it',
  '#     ACL LOAD reads it again while Redis runs.',
  MADE,
  '# default is off: whoever gives no user name stays out, as does a coturn before 4.6.3, which knows none.',
  '#     For such a one, give default what coturn has here, and a password.',
  '# app: whatever it wants with its keys; not KEYS, FLUSHALL, DEBUG, CONFIG, nor anything for administration.',
  '# coturn: what it sends to its redis-statsdb. The empty key ("~" alone) it deletes beside each of its own.',
  '# meter: fettle relay serve --redis.',
  '# fettle: fettle redis check and change. CONFIG SET is as good as owning the server: for people only.',
].join('\n')

/** Of `sub`, only these subcommands. */
const some = (command: string, sub: string) => sub.split(' ').map((one) => `+${command}|${one}`)

/** `hasChannels`: 6.2 and newer know which channels a user may use. */
function aclText(hasChannels: boolean): string {
  const channels = (...ones: readonly string[]) => (hasChannels ? ones.map((one) => `&${one}`) : [])
  const users: readonly (readonly string[])[] = [
    ['default', 'off'],
    [
      ...['app', 'on', '><password>', '~*'],
      ...channels('*'),
      // What libraries ask for, and harms nobody.
      ...['+@all', '-@admin', '-@dangerous', '+info', '+role', '+sort', '+client|setname'],
    ],
    [
      ...['coturn', 'on', '><password>', '~turn/*', '~'],
      ...channels('turn/*', '__XXX__'),
      ...['+auth', '+ping', '+select', '+keys', '+set', '+del', '+publish'],
    ],
    [
      ...['meter', 'on', '><password>', '~turn/*'],
      ...channels('turn/*'),
      ...['+auth', '+ping', '+select', '+scan', '+get', '+psubscribe', '+config|get'],
    ],
    [
      ...['fettle', 'on', '><password>', '~fettle:none'],
      ...['+auth', '+ping', '+info', '+wait', '+xread', '+monitor'],
      ...some('client', 'setname id list kill'),
      ...some('config', 'get set rewrite'),
      ...some('slowlog', 'get len reset'),
    ],
  ]
  return users.map((words) => `user ${words.join(' ')}`).join('\n')
}
