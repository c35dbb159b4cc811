/** Objects that break git's rules one by one, as bytes decoded one to one. Bodies name the empty tree, which exists. */

export const EMPTY_TREE = '4b825dc642cb6eb9a060e54bf8d69288fbee4904'

const GOOD = 'A <a@b> 1000000000 +0000'

function commit(lines: readonly string[], message = 'm\n'): string {
  return `tree ${EMPTY_TREE}\n${lines.map((line) => `${line}\n`).join('')}\n${message}`
}

function withAuthor(identity: string): string {
  return commit([`author ${identity}`, `committer ${GOOD}`])
}

/** Commits that git can parse. */
export const brokenCommits: readonly (readonly [string, string])[] = [
  ['nothing wrong', commit([`author ${GOOD}`, `committer ${GOOD}`])],
  ['extra headers', commit([`author ${GOOD}`, `committer ${GOOD}`, 'gpgsig x', ' y', 'odd'])],
  ['no message', `tree ${EMPTY_TREE}\nauthor ${GOOD}\ncommitter ${GOOD}\n`],
  ['no final newline in the header', `tree ${EMPTY_TREE}\nauthor ${GOOD}\ncommitter ${GOOD}`],
  ['no author', commit([`committer ${GOOD}`])],
  ['no committer', commit([`author ${GOOD}`])],
  ['two authors', commit([`author ${GOOD}`, `author ${GOOD}`, `committer ${GOOD}`])],
  ['header before the author', commit(['odd x', `author ${GOOD}`, `committer ${GOOD}`])],
  ['header between author and committer', commit([`author ${GOOD}`, 'odd x', `committer ${GOOD}`])],
  ['bad committer', commit([`author ${GOOD}`, 'committer A <a@b>'])],
  ['NUL in the message', commit([`author ${GOOD}`, `committer ${GOOD}`], 'a\0b')],
  ['NUL in the header', commit([`author A\0 <a@b> 1 +0000`, `committer ${GOOD}`])],
  [
    'NUL in the message of a bad commit',
    commit([`author ${GOOD}`, `author ${GOOD}`, `committer ${GOOD}`], 'a\0b'),
  ],
  ['empty name', withAuthor(' <a@b> 1 +0000')],
  ['no name', withAuthor('<a@b> 1 +0000')],
  ['no space before the email', withAuthor('A<a@b> 1 +0000')],
  ['bracket in the name', withAuthor('A> <a@b> 1 +0000')],
  ['no email', withAuthor('A 1 +0000')],
  ['empty email', withAuthor('A <> 1 +0000')],
  ['email without end', withAuthor('A <a@b 1 +0000')],
  ['bracket in the email', withAuthor('A <a<@b> 1 +0000')],
  ['email ended twice', withAuthor('A <a@b>> 1 +0000')],
  ['no space before the date', withAuthor('A <a@b>1 +0000')],
  ['no date', withAuthor('A <a@b>')],
  ['empty date', withAuthor('A <a@b>  +0000')],
  ['date zero', withAuthor('A <a@b> 0 +0000')],
  ['zero-padded date', withAuthor('A <a@b> 01 +0000')],
  ['date zero without time zone', withAuthor('A <a@b> 0')],
  ['word for a date', withAuthor('A <a@b> soon +0000')],
  ['letters after the date', withAuthor('A <a@b> 12x +0000')],
  ['date after two spaces', withAuthor('A <a@b>  12 +0000')],
  ['date with a sign', withAuthor('A <a@b> +12 +0000')],
  ['negative date', withAuthor('A <a@b> -12 +0000')],
  ['largest date', withAuthor('A <a@b> 9223372036854775807 +0000')],
  ['date too large', withAuthor('A <a@b> 9223372036854775808 +0000')],
  ['date far too large', withAuthor('A <a@b> 99999999999999999999999 +0000')],
  ['no time zone', withAuthor('A <a@b> 12')],
  ['empty time zone', withAuthor('A <a@b> 12 ')],
  ['time zone without sign', withAuthor('A <a@b> 12 0000')],
  ['short time zone', withAuthor('A <a@b> 12 +000')],
  ['long time zone', withAuthor('A <a@b> 12 +051800')],
  ['text after the time zone', withAuthor('A <a@b> 12 +0000 x')],
  ['negative zero time zone', withAuthor('A <a@b> 12 -0000')],
]

const ID = '\x11'.repeat(20)

function tree(...entries: readonly (readonly [string, string])[]): string {
  return entries.map(([mode, name]) => `${mode} ${name}\0${ID}`).join('')
}

function file(name: string): string {
  return tree(['100644', name])
}

function link(name: string): string {
  return tree(['120000', name])
}

const DOT_NAMES: readonly string[] = [
  ...[
    '.git',
    '.GiT',
    '.git ',
    '.git.',
    '.git. .',
    '.git:x',
    '.git\\x',
    '.gitx',
    'git~1',
    'GIT~1 .',
    'git~2',
    'a\\.git',
    'a\\git~1',
  ],
  ...[
    '.g\xe2\x80\x8cit',
    '\xef\xbb\xbf.git',
    '.git\xe2\x81\xaf',
    '.git\xe2\x80\xa8',
    '.git\xff',
    '.git\xc3\xa9',
    '.git\xc3\xe2\x80\x8c\xa9',
  ],
  ...['.git\xef\xbf\xbf', '.git\xed\xa0\x80', '\xe2\x80\x8d', '.', '..', '...', '. ', '~', '~1'],
]

const SPECIAL_NAMES: readonly string[] = [
  ...[
    '.gitmodules',
    '.GITMODULES ',
    '.gitmodules.:$DATA',
    'gitmod~1',
    'GITMOD~4.',
    'gitmod~5',
    'gi7eba~1',
    'GI7EB~10',
    '~1000000',
  ],
  ...[
    'gi7eba~0',
    'gi7eb~1',
    'gi7ebaa~1',
    '.gitmodules\xe2\x80\x8c',
    '.gitmodulesx',
    'a\\.gitmodules',
    'a\\gitmod~1',
  ],
  ...[
    '.gitattributes',
    'gitatt~1',
    'gi7d29~9',
    'a\\.gitattributes',
    '.gitignore',
    'gitign~2',
    'gi250a~1',
    '.mailmap',
    'mailma~3',
  ],
  ...['maba30~1', '.Mailmap. ', '.gitignor\xe2\x80\x8de', 'ma~12345'],
]

/** Trees whose entries name one blob that is not there. */
export const brokenTrees: readonly (readonly [string, string])[] = [
  ['nothing wrong', tree(['100644', 'a'], ['100755', 'b'], ['40000', 'c'], ['120000', 'd'], ['160000', 'e'])],
  ['group-writable file', tree(['100664', 'a'])],
  ['odd modes', tree(['100600', 'a'], ['100644', 'b'])],
  ['mode of no kind', tree(['170000', 'a'])],
  ['zero-padded directory', tree(['040000', 'a'])],
  ['null id', `100644 a\0${'\0'.repeat(20)}`],
  ['slash in a name', file('a/b')],
  ['two files', tree(['100644', 'a'], ['100644', 'a'])],
  ['file and directory, neighbours', tree(['100644', 'a'], ['40000', 'a'])],
  ['file and directory, apart', tree(['100644', 'a'], ['100644', 'a.b'], ['40000', 'a'])],
  [
    'file and directory, nested',
    tree(['100644', 'a'], ['100644', 'a.b'], ['100644', 'a.b.c'], ['40000', 'a.b'], ['40000', 'a']),
  ],
  [
    'names that begin each other',
    tree(['100644', 'a'], ['100644', 'a-'], ['40000', 'a.'], ['100644', 'a0'], ['40000', 'aa']),
  ],
  ['not sorted', tree(['100644', 'b'], ['100644', 'a'])],
  ['directory sorted as a file', tree(['40000', 'a'], ['100644', 'a.b'])],
  ['file sorted as a directory', tree(['100644', 'a.b'], ['100644', 'a'])],
  ['cut short', `${file('a')}100644 b\0xyz`],
  ['not a tree', 'hello, world, this is no tree'],
  ['empty name', file('')],
  ['everything', tree(['0100600', 'b/'], ['100644', '.git'], ['100644', '..'], ['100644', '..'])],
  ...DOT_NAMES.map((name): [string, string] => [`file named ${JSON.stringify(name)}`, file(name)]),
  ...SPECIAL_NAMES.map((name): [string, string] => [
    `symbolic link named ${JSON.stringify(name)}`,
    link(name),
  ]),
]

function tag(lines: readonly string[], message = 'm\n'): string {
  return `${lines.map((line) => `${line}\n`).join('')}\n${message}`
}

const TARGET = ['object $TREE', 'type tree'] as const

/** Tags; `$TREE` is the id of the empty tree. */
export const brokenTags: readonly (readonly [string, string])[] = [
  ['nothing wrong', tag([...TARGET, 'tag v1', `tagger ${GOOD}`])],
  ['no message', `object $TREE\ntype tree\ntag v1\ntagger ${GOOD}\n`],
  ['NUL in the message', tag([...TARGET, 'tag v1', `tagger ${GOOD}`], 'a\0b')],
  ['NUL in the header', tag([...TARGET, 'tag v\0', `tagger ${GOOD}`])],
  ['unterminated header', `object $TREE\ntype tree\ntag v1\ntagger ${GOOD}`],
  ['no object', tag(['type tree', 'tag v1', `tagger ${GOOD}`])],
  ['bad object', tag(['object 123', 'type tree', 'tag v1', `tagger ${GOOD}`])],
  ['no type', tag(['object $TREE', 'tag v1', `tagger ${GOOD}`])],
  ['bad type', tag(['object $TREE', 'type twig', 'tag v1', `tagger ${GOOD}`])],
  ['no tag', tag([...TARGET, `tagger ${GOOD}`])],
  ['no tagger', tag([...TARGET, 'tag v1'])],
  ['extra header', tag([...TARGET, 'tag v1', `tagger ${GOOD}`, 'odd x'])],
  ['extra header for a tagger', tag([...TARGET, 'tag v1', 'odd x'])],
  ['bad tagger', tag([...TARGET, 'tag v1', 'tagger A <a@b> 12 x'])],
  ['bad tagger and extra header', tag([...TARGET, 'tag v1', 'tagger A <a@b>', 'odd x'])],
  ...[
    '',
    '.a',
    'a.',
    'a..b',
    'a.lock',
    'a.lock/b',
    'a//b',
    '/a',
    'a/',
    'a/.b',
    'a@{b',
    '@',
    'a b',
    'a~',
    'a^',
    'a:',
    'a?',
    'a*',
    'a[',
    'a\\',
    '\x7f',
    '\x1f',
    '-a',
    'é',
    'a{',
    'a/b',
    '\xff',
  ].map((name): [string, string] => [
    `named ${JSON.stringify(name)}`,
    tag([...TARGET, `tag ${name}`, `tagger ${GOOD}`]),
  ]),
]

function submodule(...settings: readonly string[]): string {
  return `[submodule "a"]\n${settings.map((setting) => `\t${setting}\n`).join('')}`
}

export const gitmodulesTexts: readonly string[] = [
  submodule('path = a', 'url = https://example.com/a.git', 'update = rebase'),
  submodule('path = -a'),
  submodule('path'),
  submodule('update = !rm'),
  submodule('update = "!rm"', 'url = -x', 'path = --y'),
  submodule('PATH = -a', 'URL = -b'),
  '[submodule ".."]\n\tpath = a\n',
  '[submodule "a/../b"]\n\tpath = a\n\turl = b\n',
  '[submodule "a\\\\.."]\n\tpath = a\n',
  '[submodule "..a"]\n\tpath = a\n',
  '[submodule ""]\n\tpath = a\n',
  '[submodule]\n\tpath = -a\n',
  '[other "x"]\n\tpath = -a\n',
  '[submodule "a"\n',
  `${submodule('path = -a')}[broken\n`,
  ...[
    ...[
      './a',
      '../a',
      '../../a',
      '../:x',
      '..//x',
      './:x',
      '.././/x',
      '../a%0ab',
      '..\\\\a',
      '.a',
      'a',
      '/a',
      '-a',
      './-a',
    ],
    ...[
      'https://example.com',
      'https://example.com%0a/x',
      'https://a%0ab@example.com/x',
      'https://example.com/x%0ay',
      'https:///x',
      'https://',
    ],
    ...[
      'http::https://example.com/',
      'https::example.com',
      'http:://x',
      'ftp://user:pw@/x',
      'https://user@?x',
      'https://@host/x',
      'https://a:b@c/x',
    ],
    ...[
      'ssh://host%0a/x',
      'git@host:x',
      'HTTPS:///x',
      'https://ex:%/',
      'ftps::ftp://',
      'file:///x',
      'https://?q',
      'https://#f',
      'https://h?a@b',
    ],
  ].map((url) => submodule(`url = "${url}"`)),
  submodule('url = "https://host/a\\nb"'),
  submodule('url = "../a\\nb"'),
  submodule('url = "ssh://a\\nb"'),
]

export const gitattributesTexts: readonly (readonly [string, string])[] = [
  ['usual', '*.png binary\n'],
  ['longest line', `${'a'.repeat(2047)}\n`],
  ['line too long', `x\n${'a'.repeat(2048)}\nb\n`],
  ['line too long at the end', 'a'.repeat(2048)],
]
