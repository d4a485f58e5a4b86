/** Where the keys of Kerberos are that sshd needs for GSSAPI (krb5.conf(5)). */

const USUAL = '/etc/krb5.keytab'

/** Null: it is in no file, so that nobody can see whether it is there. */
export function keytabIn(krb5: string): string | null {
  const name = /^[ \t]*default_keytab_name[ \t]*=[ \t]*(\S+)/m.exec(krb5)?.[1]
  if (name === undefined) return USUAL
  const file = name.replace(/^(?:WR)?FILE:/, '')
  return file.startsWith('/') && !file.includes('%') ? file : null
}
