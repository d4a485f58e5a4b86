/** What fettle zip tells of an archive, and how much that is: after notes alone the status is 0, else 1. */
export const codes = {
  // Left out, because of its name.
  /** `..`, from the root, with a drive, with NUL, or none at all. */
  'zip.unsafe-name': 'warning',
  /** Longer than file systems take. */
  'zip.long-name': 'warning',

  // Written under its name.
  /** Control characters: it can steer a terminal that lists it. */
  'zip.control-name': 'warning',
  /** Windows could not write it. */
  'zip.windows-name': 'note',
  /** Several of one name; the last is written. */
  'zip.duplicate-name': 'warning',
  /** Names that are one where case or normalisation are not told apart (both written), or a file where a folder has to
   *  be (the folder is written). */
  'zip.name-collision': 'warning',
  /** Its encoding was found out by looking, or what says it in Unicode is of another name. */
  'zip.name-encoding': 'note',
  /** The header before the data is not what the directory says, which is believed. */
  'zip.local-differs': 'warning',
  /** setuid, setgid or sticky; written without. */
  'zip.special-mode': 'note',
  /** A name that ends with a slash, with content; the folder is made. */
  'zip.folder-data': 'warning',

  // Left out, because of what it holds.
  'zip.crc': 'warning',
  'zip.size': 'warning',
  /** Its compressed data are none. */
  'zip.data': 'warning',
  'zip.method': 'warning',
  /** No password, or flags of an encryption that is not known. */
  'zip.encrypted': 'warning',
  /** The password is another. */
  'zip.password': 'warning',
  /** It shares bytes with another, or with the directory; all of those that do are left out. */
  'zip.overlap': 'warning',
  'zip.bomb': 'warning',
  /** Its bytes would stand where the archive has none. */
  'zip.outside': 'warning',
  /** There is no header where the directory says. */
  'zip.no-header': 'warning',
  'zip.symlink-outside': 'warning',
  /** Links are switched off. */
  'zip.symlink-skipped': 'note',
  /** A device, a pipe or a socket. */
  'zip.special-file': 'warning',
  /** Something else has the name already. */
  'zip.exists': 'warning',

  /** A folder that is a link already, or the other way about. */
  'zip.blocked': 'warning',
  /** Beyond --max-bytes or --max-files. */
  'zip.limit': 'warning',

  /** Ctrl-C, a full disk: all the others are not there. */
  'zip.unfinished': 'warning',

  // Of the whole archive.
  /** Its directory breaks off: what comes before that is written. */
  'zip.truncated': 'warning',
  /** Bytes before it: a program that unpacks itself, or something glued on. */
  'zip.prepended': 'note',
  /** Zeros after its end, up to a whole block of a tape. */
  'zip.padding': 'note',
  /** Bytes after its end. */
  'zip.trailing-bytes': 'warning',
  /** Two records say that they are its end; the last is believed. */
  'zip.two-ends': 'warning',
  /** The record at its end counts other entries than there are. */
  'zip.count': 'warning',
} as const
export type Code = keyof typeof codes
