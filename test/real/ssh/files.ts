/** What a machine of a lab has in /etc: the files of a Debian that a login reads, and nothing of the real machine's. */

/** Nobody has this number on a real machine, so that no real process is counted as this user's. */
export const OPS_ID = 61_042
export const PASSWORD = 'spring tide'
/** `openssl passwd -6 -salt lab 'spring tide'` */
const HASH = '$6$lab$qs8A2loDSLSpIuNXWIG7qKR85sgfbmowxqWLnTYNrZsTiFVaPSei7x5TZjb6vccvDX8DASB/hcfgj2yR4esOV/'

const users = (home: (user: string) => string) =>
  [
    `root:x:0:0:root:${home('root')}:/bin/bash`,
    'daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin',
    'nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin',
    'sshd:x:105:65534::/run/sshd:/usr/sbin/nologin',
    'messagebus:x:106:106::/nonexistent:/usr/sbin/nologin',
    `ops:x:${OPS_ID}:${OPS_ID}:Ops:${home('ops')}:/bin/bash`,
    '',
  ].join('\n')

const GROUPS = ['root:x:0:', 'tty:x:5:', 'utmp:x:43:', 'messagebus:x:106:', `ops:x:${OPS_ID}:`, 'nogroup:x:65534:', '']

const SHADOW = [
  'root:*:19000:0:99999:7:::',
  'sshd:!:19000::::::',
  'messagebus:!:19000::::::',
  `ops:${HASH}:19000:0:99999:7:::`,
  '',
]

const NSSWITCH = `passwd: files
group: files
shadow: files
hosts: files dns
networks: files
protocols: files
services: files
`

const SSH_CONFIG = `Include /etc/ssh/ssh_config.d/*.conf

Host *
    SendEnv LANG LC_*
    HashKnownHosts yes
    GSSAPIAuthentication yes
`

const SSHD_CONFIG = `Include /etc/ssh/sshd_config.d/*.conf
KbdInteractiveAuthentication no
UsePAM yes
X11Forwarding yes
PrintMotd no
AcceptEnv LANG LC_*
Subsystem sftp /usr/lib/openssh/sftp-server
`

const COMMON = {
  auth: ['[success=1 default=ignore] pam_unix.so nullok', 'requisite pam_deny.so', 'required pam_permit.so'],
  account: [
    '[success=1 new_authtok_reqd=done default=ignore] pam_unix.so',
    'requisite pam_deny.so',
    'required pam_permit.so',
  ],
  session: [
    '[default=1] pam_permit.so',
    'requisite pam_deny.so',
    'required pam_permit.so',
    'required pam_unix.so',
    'optional pam_systemd.so',
  ],
  password: ['[success=1 default=ignore] pam_unix.so obscure yescrypt', 'requisite pam_deny.so'],
} as const

const PAM_SSHD = `@include common-auth
account    required     pam_nologin.so
@include common-account
session    optional     pam_keyinit.so force revoke
@include common-session
session    optional     pam_motd.so  motd=/run/motd.dynamic
session    optional     pam_motd.so noupdate
session    optional     pam_mail.so standard noenv
session    required     pam_limits.so
session    required     pam_env.so
session    required     pam_env.so user_readenv=1 envfile=/etc/default/locale
@include common-password
`

const PROFILE = `if [ -f /etc/bash.bashrc ]; then . /etc/bash.bashrc; fi
for i in /etc/profile.d/*.sh; do if [ -r "$i" ]; then . "$i"; fi; done
`

const KRB5 = `[libdefaults]
    default_realm = LAB.TEST
    dns_lookup_kdc = false
    default_ccache_name = FILE:/run/krb5cc_%{uid}
[realms]
    LAB.TEST = {
        kdc = 127.0.0.1:88
    }
`

/** Texts by path. */
export function etcOf(name: string, resolver: string, home: (user: string) => string): Record<string, string> {
  const pam = Object.entries(COMMON).map(([kind, lines]) => [
    `/etc/pam.d/common-${kind}`,
    `${lines.map((line) => `${kind} ${line}`).join('\n')}\n`,
  ])
  return {
    '/etc/hosts': `127.0.0.1 localhost\n::1 localhost\n127.0.1.1 ${name}\n`,
    '/etc/hostname': `${name}\n`,
    '/etc/resolv.conf': `nameserver ${resolver}\n`,
    '/etc/nsswitch.conf': NSSWITCH,
    '/etc/passwd': users(home),
    '/etc/group': GROUPS.join('\n'),
    '/etc/shadow': SHADOW.join('\n'),
    '/etc/shells': '/bin/sh\n/bin/bash\n',
    '/etc/services': 'ssh 22/tcp\ndomain 53/tcp\ndomain 53/udp\nkerberos 88/tcp\nkerberos 88/udp\n',
    '/etc/protocols': 'ip 0 IP\nicmp 1 ICMP\ntcp 6 TCP\nudp 17 UDP\nipv6-icmp 58 IPv6-ICMP\n',
    '/etc/login.defs': 'UID_MIN 1000\nUID_MAX 60000\nENCRYPT_METHOD YESCRYPT\n',
    '/etc/security/limits.conf': '',
    '/etc/security/pam_env.conf': '',
    '/etc/environment': '',
    '/etc/default/locale': 'LANG=C.UTF-8\n',
    '/etc/motd': '',
    '/etc/profile': PROFILE,
    '/etc/bash.bashrc': '',
    '/etc/krb5.conf': KRB5,
    '/etc/machine-id': '0123456789abcdef0123456789abcdef\n',
    '/etc/ssh/ssh_config': SSH_CONFIG,
    '/etc/ssh/sshd_config': SSHD_CONFIG,
    '/etc/pam.d/sshd': PAM_SSHD,
    '/etc/pam.d/other': 'auth required pam_deny.so\naccount required pam_deny.so\nsession required pam_deny.so\n',
    ...Object.fromEntries(pam),
  }
}
