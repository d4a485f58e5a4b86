/** Names that lead elsewhere, that are two and one at once, that nobody can write, or whose bytes mean several things. */
import { crc32 } from 'node:zlib'
import { good, goodOnly, type Odd, odd } from './odd.ts'
import { FILE, FOLDER, field, LINK, u32 } from './writer.ts'

const evil = (name: string | Uint8Array, host = 3) => ({ entries: [{ name, content: 'evil', host }, good] })
const left = { written: goodOnly, told: ['zip.unsafe-name'] } as const
const link = (name: string, target: string) => ({ name, content: target, mode: LINK, method: 0 })

const unsafe: readonly Odd[] = [
  odd('a name that leads out', evil('../../evil'), left),
  odd('a name that leads out from within', evil('a/../../evil'), left),
  odd('a name that leads out and in again', evil('a/../evil'), left),
  odd('a name that ends with ..', evil('a/..'), left),
  odd('a name from the root', evil('/abs'), left),
  odd('a name from the root, twice', evil('//abs/x'), left),
  odd('a drive', evil('C:\\x', 0), left),
  odd('a drive with a slash', evil('C:/x'), left),
  odd('a drive without a separator', evil('c:x', 0), left),
  odd('a share', evil('\\\\host\\share\\x', 0), left),
  odd('a name that leads out with backslashes, made on DOS', evil('..\\..\\x', 0), left),
  odd('a name that leads out with backslashes, made on NTFS', evil('a\\..\\..\\x', 10), left),
  odd('a name that leads out with backslashes, made on Unix', evil('..\\..\\x', 3), left),
  odd('a name with both separators that leads out', evil('a/..\\..\\..\\x', 0), left),
  odd('a name with NUL', evil('evil.txt\0.png'), left),
  odd('no name', evil(''), left),
  odd('a dot for a name', evil('.'), left),
  odd('a name that leads out in UTF-8 that is too long', evil(Buffer.from('c0aec0ae2f78', 'hex')), {
    written: { ...goodOnly, '喇喇/x': 'evil' },
    told: ['zip.name-encoding'],
  }),
  odd('a name longer than a file system takes', evil('x'.repeat(256)), { written: goodOnly, told: ['zip.long-name'] }),
  odd('a name of 65,535 bytes', evil('x'.repeat(65535)), { written: goodOnly, told: ['zip.long-name'] }),
  odd('a path of 65,535 bytes', evil(`${'x/'.repeat(32767)}x`), { written: goodOnly, told: ['zip.long-name'] }),
]

const written: readonly Odd[] = [
  odd('dots that lead nowhere', evil('./a/./b//c'), { written: { ...goodOnly, 'a/b/c': 'evil' } }),
  odd('dots that are names', evil('...'), { written: { ...goodOnly, '...': 'evil' }, told: ['zip.windows-name'] }),
  odd('backslashes, made on DOS', evil('a\\b', 0), { written: { ...goodOnly, 'a/b': 'evil' } }),
  odd('backslashes, made on Unix', evil('a\\b', 3), { written: { ...goodOnly, 'a\\b': 'evil' } }),
  odd('a name that looks like a flag', evil('-rf'), { written: { ...goodOnly, '-rf': 'evil' } }),
  odd('a name that a shell would take apart', evil('$(id); `id` & "x" \'y\''), {
    written: { ...goodOnly, '$(id); `id` & "x" \'y\'': 'evil' },
  }),
  odd('a name that steers terminals', evil('\x1b[2J\x1b]0;x\x07'), {
    written: { ...goodOnly, '\x1b[2J\x1b]0;x\x07': 'evil' },
    told: ['zip.control-name'],
  }),
  odd('a name of two lines', evil('a\nb'), { written: { ...goodOnly, 'a\nb': 'evil' }, told: ['zip.control-name'] }),
  odd('a name that reads from right to left', evil('photo\u202egpj.exe'), {
    written: { ...goodOnly, 'photo\u202egpj.exe': 'evil' },
    told: ['zip.control-name'],
  }),
  odd('a name that Windows cannot have', evil('con.txt'), {
    written: { ...goodOnly, 'con.txt': 'evil' },
    told: ['zip.windows-name'],
  }),
  odd('a name of 255 bytes', evil('x'.repeat(255)), { written: { ...goodOnly, ['x'.repeat(255)]: 'evil' } }),
  odd(
    'a folder with content',
    { entries: [{ name: 'a/', mode: FOLDER, content: 'evil' }, good] },
    {
      written: goodOnly,
      folders: ['a'],
      told: ['zip.folder-data'],
    },
  ),
  odd(
    'a folder of old archives, by its slash alone',
    { entries: [{ name: 'a/', host: 0, method: 0 }, good] },
    {
      written: goodOnly,
      folders: ['a'],
    },
  ),
]

const two = (first: string, second: string) => ({
  entries: [
    { name: first, content: 'first' },
    { name: second, content: 'second' },
  ],
})

const collisions: readonly Odd[] = [
  odd('one name twice', two('a', 'a'), { written: { a: 'second' }, told: ['zip.duplicate-name'] }),
  odd('one name twice, written otherwise', two('a/b', './a//b'), {
    written: { 'a/b': 'second' },
    told: ['zip.duplicate-name'],
  }),
  odd('a file where a folder has to be', two('a', 'a/b'), {
    written: { 'a/b': 'second' },
    told: ['zip.name-collision'],
  }),
  odd('a folder, and then a file in its place', two('a/b', 'a'), {
    written: { 'a/b': 'first' },
    told: ['zip.name-collision'],
  }),
  odd('names that differ in case', two('Readme', 'README'), {
    written: { Readme: 'first', README: 'second' },
    told: ['zip.name-collision'],
  }),
  odd('folders that differ in case', two('Src/a', 'src/a'), {
    written: { 'Src/a': 'first', 'src/a': 'second' },
    told: ['zip.name-collision'],
  }),
  odd('names that differ in normalisation', two('gr\u00fc\u00dfe', 'gru\u0308\u00dfe'), {
    written: { 'gr\u00fc\u00dfe': 'first', 'gru\u0308\u00dfe': 'second' },
    told: ['zip.name-collision'],
  }),
]

const links: readonly Odd[] = [
  odd(
    'a link that stays inside',
    { entries: [good, link('a/link', '../good.txt')] },
    {
      written: goodOnly,
      links: { 'a/link': '../good.txt' },
    },
  ),
  odd(
    'a link to the root',
    { entries: [good, link('link', '/etc')] },
    {
      written: goodOnly,
      told: ['zip.symlink-outside'],
    },
  ),
  odd(
    'a link that leads out',
    { entries: [good, link('a/link', '../../x')] },
    {
      written: goodOnly,
      told: ['zip.symlink-outside'],
    },
  ),
  odd(
    'a link, and a file through it',
    { entries: [link('d', '/tmp'), { name: 'd/pwn', content: 'pwn' }, good] },
    {
      written: { ...goodOnly, 'd/pwn': 'pwn' },
      told: ['zip.name-collision'],
    },
  ),
  odd(
    'a file, and the link that it would go through',
    { entries: [{ name: 'd/x', content: 'x' }, link('d', '..')] },
    {
      written: { 'd/x': 'x' },
      told: ['zip.name-collision'],
    },
  ),
  odd(
    'a link, and a file in its place',
    { entries: [link('d', '../x'), { name: 'd', content: 'file' }] },
    {
      written: { d: 'file' },
      told: ['zip.duplicate-name'],
    },
  ),
  odd(
    'a link that is inside by its words, not by its way',
    {
      entries: [{ name: 'x/y/file', content: 'x' }, link('x/y/l', '../..'), link('m', 'x/y/l/../evil')],
    },
    {
      written: { 'x/y/file': 'x' },
      links: { 'x/y/l': '../..' },
      told: ['zip.symlink-outside'],
    },
  ),
  odd(
    'a link to a link that leads out',
    { entries: [good, link('a', 'b'), link('b', '..')] },
    {
      written: goodOnly,
      links: { a: 'b' },
      told: ['zip.symlink-outside'],
    },
  ),
  odd(
    'links in a circle',
    { entries: [good, link('a', 'b'), link('b', 'a')] },
    {
      written: goodOnly,
      links: { a: 'b', b: 'a' },
    },
  ),
  odd('a link to nothing', { entries: [link('a', '')] }, { told: ['zip.symlink-outside'] }),
  odd('a link with NUL', { entries: [link('a', 'b\0c')] }, { told: ['zip.symlink-outside'] }),
  odd(
    'a link of a megabyte',
    { entries: [good, link('a', 'x/'.repeat(500_000))] },
    {
      written: goodOnly,
      told: ['zip.symlink-outside'],
    },
  ),
  odd(
    'links that are switched off',
    { entries: [good, link('a', 'good.txt')] },
    {
      written: goodOnly,
      told: ['zip.symlink-skipped'],
    },
    '--symlinks',
    'off',
  ),
]

const unicode = (name: Uint8Array, text: string, crc = crc32(name)) =>
  field(0x7075, Buffer.concat([Buffer.from([1]), u32(crc), Buffer.from(text)]))
const said = (...names: Uint8Array[]) => ({ entries: names.map((name) => ({ name, content: 'x', host: 0 })) })
const hex = (text: string) => Buffer.from(text, 'hex')
const guessed = (...names: string[]) => ({
  written: Object.fromEntries(names.map((name) => [name, 'x'])),
  told: ['zip.name-encoding'] as const,
})
const short = Buffer.from('gr??e')

const encodings: readonly Odd[] = [
  // 中文说明.txt, 用户手册/第一章.txt and 项目报告最终版.doc
  odd(
    'names in GBK',
    said(
      hex('d6d0cec4cbb5c3f72e747874'),
      hex('d3c3bba7cad6b2e12fb5dad2bbd5c22e747874'),
      hex('cfeec4bfb1a8b8e6d7eed6d5b0e62e646f63'),
    ),
    guessed('中文说明.txt', '用户手册/第一章.txt', '项目报告最终版.doc'),
  ),
  // 說明文件.txt and 使用者手冊.txt
  odd(
    'names in Big5',
    said(hex('bba1a9faa4e5a5f32e747874'), hex('a8cfa5ceaacca4e2a5552e747874')),
    guessed('說明文件.txt', '使用者手冊.txt'),
  ),
  // 日本語のファイル.txt, テスト.txt, and 表示.txt, whose bytes hold a backslash's
  odd(
    'names in Shift_JIS',
    said(hex('93fa967b8cea82cc837483408343838b2e747874'), hex('8365835883672e747874'), hex('955c8ea62e747874')),
    guessed('日本語のファイル.txt', 'テスト.txt', '表示.txt'),
  ),
  // Отчёт за год.txt and Документы/письмо.txt
  odd(
    'names in CP1251',
    said(hex('cef2f7b8f220e7e020e3eee42e747874'), hex('c4eeeaf3ece5edf2fb2fefe8f1fcecee2e747874')),
    guessed('Отчёт за год.txt', 'Документы/письмо.txt'),
  ),
  // Übersicht.txt, Prüfung für Anfänger.txt, Straße nach Köln.txt, größe.txt
  odd(
    'names in CP437',
    said(
      hex('9a62657273696368742e747874'),
      hex('50728166756e672066817220416e66846e6765722e747874'),
      hex('53747261e165206e616368204b946c6e2e747874'),
      hex('677294e1652e747874'),
    ),
    guessed('Übersicht.txt', 'Prüfung für Anfänger.txt', 'Straße nach Köln.txt', 'größe.txt'),
  ),
  odd('an encoding that was said', said(hex('d6d0cec4')), { written: { ÖÐÎÄ: 'x' } }, '--encoding', 'latin1'),
  odd(
    'names in UTF-8 that do not say so',
    { entries: [{ name: Buffer.from('größe.txt'), content: 'x' }] },
    {
      written: { 'größe.txt': 'x' },
    },
  ),
  odd(
    'a name in Unicode beside the short one',
    {
      entries: [{ name: short, content: 'x', extra: unicode(short, 'größe') }],
    },
    { written: { größe: 'x' } },
  ),
  odd(
    'a name in Unicode of another name',
    {
      entries: [{ name: short, content: 'x', extra: unicode(short, 'größe', 1) }],
    },
    { written: { 'gr??e': 'x' }, told: ['zip.name-encoding', 'zip.windows-name'] },
  ),
  odd(
    'a name in Unicode that leads out',
    {
      entries: [{ name: short, content: 'x', extra: unicode(short, '../größe') }, good],
    },
    left,
  ),
  odd(
    'a name that says UTF-8 and is not',
    {
      entries: [{ name: hex('6772fc6265'), content: 'x', local: { flags: 0x800 }, central: { flags: 0x800 } }, good],
    },
    { written: { ...goodOnly, 'gr\u00fcbe': 'x' }, told: ['zip.name-encoding'] },
  ),
]

const modes: readonly Odd[] = [
  odd(
    'setuid, setgid, sticky',
    { entries: [{ name: 'a', content: 'x', mode: FILE | 0o7111 }] },
    {
      written: { a: 'x' },
      modes: { a: 0o755 },
      told: ['zip.special-mode'],
    },
  ),
  odd(
    'a file for everybody',
    { entries: [{ name: 'a', content: 'x', mode: 0o100777 }] },
    {
      written: { a: 'x' },
      modes: { a: 0o755 },
    },
  ),
  odd(
    'a file for nobody',
    { entries: [{ name: 'a', content: 'x', mode: 0o100000 }] },
    {
      written: { a: 'x' },
      modes: { a: 0 },
    },
  ),
  ...(
    [
      ['character device', 0o020666],
      ['block device', 0o060666],
      ['pipe', 0o010666],
      ['socket', 0o140777],
    ] as const
  ).map(([name, mode]) =>
    odd(`a ${name}`, { entries: [{ name: 'a', mode }, good] }, { written: goodOnly, told: ['zip.special-file'] }),
  ),
]

export const oddNames: readonly Odd[] = [...unsafe, ...written, ...collisions, ...links, ...encodings, ...modes]
