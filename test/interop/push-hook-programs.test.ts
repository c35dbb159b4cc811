import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { git, tryGit } from '../support/git.ts'
import { useScratch, useServer, type Served } from '../support/hooks.ts'
import { findFaults, listLeftovers, readRefLines } from '../support/repositories.ts'
import { cloneWorkTree, type WorkTree } from '../support/work-tree.ts'

const scratch = useScratch()
const ours = useServer(scratch, 'packstone', { args: ['--hooks'] })
const oracle = useServer(scratch, 'git')
const careful = useServer(scratch, 'packstone')

/** Finds the programs of this machine: the server under test is started without a PATH. */
const PREAMBLE = `#!/bin/sh\nPATH=${process.env['PATH'] ?? ''}\nexport PATH\n`

/** A line in the file `hook.log` for each argument and line of input; what it says reaches the one who pushes. */
const LOGGING = `
name=\${0##*/}
{
  echo "$name args: $*; dir: $(pwd -P | sed 's|.*/||'); GIT_DIR=$GIT_DIR; options: \${GIT_PUSH_OPTION_COUNT-unset} $GIT_PUSH_OPTION_0"
  [ "$name" = update ] || [ "$name" = post-update ] || sed "s/^/$name: /"
} >>hook.log
echo "$name speaks"
echo "$name complains" >&2
`

async function writeHooks(repository: string, hooks: Readonly<Record<string, string>>): Promise<void> {
  await mkdir(join(repository, 'hooks'), { recursive: true })
  for (const [name, body] of Object.entries(hooks)) {
    const path = join(repository, 'hooks', name)
    await writeFile(path, PREAMBLE + body)
    await chmod(path, 0o755)
  }
}

interface Seen {
  readonly code: number
  /** What the hooks wrote down, without what differs from run to run. */
  readonly log: readonly string[]
  readonly said: readonly string[]
  readonly refs: readonly string[]
}

let count = 0

/** A repository with `main`, and a clone one commit ahead, pushed with the given arguments. */
async function pushTo(
  server: Served,
  hooks: Readonly<Record<string, string>>,
  args: readonly string[],
  config: Readonly<Record<string, string>> = {},
): Promise<Seen & { readonly served: string; readonly work: WorkTree }> {
  const name = `hooks-${++count}.git`
  const served = await server.createRepository(name)
  const work = await cloneWorkTree(server.url(name), scratch.fresh('work'))
  await work.commit('a', '1')
  await work.git('push', '--quiet', 'origin', 'main', 'main:other')
  await work.commit('a', '2')
  for (const [key, value] of Object.entries(config)) await git(['config', key, value], { cwd: served })
  await writeHooks(served, hooks)
  const result = await tryGit(['push', ...args], { cwd: work.path })
  const log = await readFile(join(served, 'hook.log'), 'utf8').catch(() => '')
  return {
    served,
    work,
    code: result.code,
    log: log
      .replaceAll(name, 'SERVED')
      .split('\n')
      // Some versions of git also tell of the line for the log of HEAD.
      .filter((line) => line !== '' && !line.endsWith(' HEAD')),
    said: result.stderr
      .replaceAll(server.url(name), 'URL')
      .split('\n')
      .map((line) => line.trimEnd())
      .filter((line) => /^(remote: | ! )/.test(line) && !/Resolving|Unpacking/.test(line))
      .sort(),
    refs: await readRefLines(served),
  }
}

/** Pushes to our server and to git's, which must make the same of it. */
async function pushToBoth(
  ...given: Parameters<typeof pushTo> extends [Served, ...infer Rest] ? Rest : never
): Promise<Seen & { readonly served: string }> {
  const [mine, theirs] = [await pushTo(ours, ...given), await pushTo(oracle, ...given)]
  const seen = ({ code, log, said, refs }: Seen): Seen => ({ code, log, said, refs })
  expect(seen(mine)).toEqual(seen(theirs))
  expect(await findFaults(mine.served)).toEqual([])
  expect(await listLeftovers(mine.served)).toEqual([])
  return mine
}

const OPTIONS = { 'receive.advertisePushOptions': 'true' }

describe('programs of a repository', () => {
  it('are run with what git gives them, and their words reach the one who pushes', async () => {
    const hooks = Object.fromEntries(
      ['pre-receive', 'update', 'post-receive', 'post-update'].map((name) => [name, LOGGING]),
    )
    const { log, said, code } = await pushToBoth(
      hooks,
      ['-o', 'hello', 'origin', 'main', ':other', 'main:new'],
      OPTIONS,
    )
    expect(code).toBe(0)
    expect(log.filter((line) => line.startsWith('update args: refs/heads/'))).toHaveLength(3)
    expect(log.join('\n')).toContain('post-receive args: ; dir: SERVED; GIT_DIR=.; options: 1 hello')
    expect(said).toContain('remote: post-update complains')
  })

  it('see received objects from pre-receive on, which is in quarantine', async () => {
    const look = `
while read old new ref; do git cat-file -t $new; git rev-list --count $new; done
git update-ref refs/heads/sneaked $new 2>&1 | grep -o 'forbidden inside quarantine'
echo "quarantined: \${GIT_QUARANTINE_PATH:+yes}"
`
    const { said } = await pushToBoth({ 'pre-receive': look, 'post-receive': look }, ['origin', 'main'])
    expect(said.filter((line) => line.startsWith('remote: quarantined'))).toEqual([
      'remote: quarantined:',
      'remote: quarantined: yes',
    ])
  })

  it('refuse the whole push in pre-receive, and nothing is kept', async () => {
    const { said, served } = await pushToBoth({ 'pre-receive': 'echo no; exit 1' }, [
      'origin',
      'main',
      'main:new',
    ])
    expect(said).toContain(' ! [remote rejected] main -> main (pre-receive hook declined)')
    expect(said).toContain('remote: no')
    expect(await git(['count-objects'], { cwd: served })).toMatch(/^0 objects|^3 objects/)
  })

  it('refuse single refs in update, and with them an atomic push', async () => {
    const hooks = { update: 'case $1 in *other) echo "not $1"; exit 1;; esac' }
    const { said } = await pushToBoth(hooks, ['origin', 'main', 'main:other'])
    expect(said).toContain(' ! [remote rejected] main -> other (hook declined)')
    const { refs } = await pushToBoth(hooks, ['--atomic', 'origin', 'main', 'main:other'])
    expect(new Set(refs.map((line) => line.split(' ')[1])).size).toBe(1)
  })

  it('are told of transactions, and can stop them', async () => {
    const log = 'state=$1; while read old new ref; do echo "$state $old $new $ref"; done >>hook.log'
    const told = await pushToBoth({ 'reference-transaction': log }, [
      '--atomic',
      'origin',
      'main',
      'main:new',
    ])
    expect(told.log.map((line) => line.split(' ')[0])).toEqual([
      'prepared',
      'prepared',
      'committed',
      'committed',
    ])
    // Git's own server goes away without a report here; both leave the ref alone.
    const hooks = { 'reference-transaction': `${log}; [ $state != prepared ]` }
    const stopped = await pushTo(ours, hooks, ['origin', 'main'])
    expect(stopped.refs).toEqual((await pushTo(oracle, hooks, ['origin', 'main'])).refs)
    expect(stopped.said).toContain(' ! [remote rejected] main -> main (failed to update ref)')
    expect(stopped.log.at(-1)).toMatch(/^aborted/)
  })

  it('change nothing any more when post-receive fails', async () => {
    const { code, refs } = await pushToBoth({ 'post-receive': 'echo late; exit 1' }, ['origin', 'main'])
    expect(code).toBe(0)
    expect(new Set(refs.map((line) => line.split(' ')[1])).size).toBe(2)
  })

  it('that are not executable are passed over', async () => {
    const { served, code } = await pushTo(ours, {}, ['origin', 'main'])
    await writeFile(join(served, 'hooks', 'pre-receive'), '#!/bin/sh\nexit 1\n')
    expect(code).toBe(0)
    const again = await tryGit(
      ['push', ours.url(served.slice(ours.directory.length + 1)), 'HEAD:refs/heads/again'],
      {
        cwd: served.replace(/[^/]*$/, ''),
      },
    )
    expect(again.stderr).not.toContain('pre-receive')
  })

  it('are not run without --hooks, whatever the repository says', async () => {
    const hooks = Object.fromEntries(
      ['pre-receive', 'update', 'reference-transaction', 'post-receive'].map((name) => [
        name,
        `${LOGGING}exit 1`,
      ]),
    )
    const { code, log } = await pushTo(careful, hooks, ['origin', 'main'], { 'core.hooksPath': 'hooks' })
    expect(code).toBe(0)
    expect(log).toEqual([])
  })
})

/** Answers every ref with the given report lines; `%s` stands for the ref. */
function procReceive(...reports: readonly string[]): string {
  const writer = `
const { readFileSync, writeSync } = require('node:fs')
const pkt = (line) => writeSync(1, (line.length + 5).toString(16).padStart(4, '0') + line + '\\n')
const flush = () => writeSync(1, '0000')
const byte = Buffer.alloc(4)
const { readSync } = require('node:fs')
const readAll = (length) => { const b = Buffer.alloc(length); let at = 0; while (at < length) { const n = readSync(0, b, at, length - at); if (n === 0) process.exit(9); at += n } return b.toString() }
const lines = () => { const all = []; for (;;) { const length = parseInt(readAll(4), 16); if (length === 0) return all; all.push(readAll(length - 4).trimEnd()) } }
const [version] = lines()
console.error('greeting: ' + JSON.stringify(version))
pkt('version=1' + '\\0' + 'push-options atomic'); flush()
const commands = lines()
if (version.includes('push-options')) console.error('options: ' + lines())
for (const command of commands) for (const report of ${JSON.stringify(reports)}) pkt(report.replace('%s', command.split(' ')[2]))
flush()
`
  return `exec ${process.execPath} -e "$(cat <<'END'\n${writer}\nEND\n)"\n`
}

describe('proc-receive', () => {
  const FOR = { 'receive.procReceiveRefs': 'refs/for' }

  it.each([
    ['takes a ref over', ['ok %s']],
    ['says what it did instead', ['ok %s', 'option refname refs/pull/1/head', 'option forced-update']],
    [
      'says that it did several things',
      [
        'ok %s',
        'option refname refs/pull/1/head',
        `option new-oid ${'1'.repeat(40)}`,
        'ok %s',
        'option refname refs/pull/2/head',
        `option old-oid ${'2'.repeat(40)}`,
      ],
    ],
    ['refuses', ['ng %s because of the weather']],
    ['lets fall through', ['ok %s', 'option fall-through']],
    ['reports on nothing', []],
    ['reports on another ref', ['ok refs/for/nobody', 'ok %s']],
  ])('%s', async (_, reports) => {
    await pushToBoth(
      { 'proc-receive': procReceive(...reports), 'post-receive': LOGGING },
      ['origin', 'main', 'HEAD:refs/for/main'],
      FOR,
    )
  })

  it('is told of push options and atomic pushes', async () => {
    const args = ['--atomic', '-o', 'topic', 'origin', 'main', 'HEAD:refs/for/main']
    const { said } = await pushToBoth({ 'proc-receive': procReceive('ok %s') }, args, { ...FOR, ...OPTIONS })
    expect(said.join('\n')).toContain('options: topic')
  })

  it('refuses its refs when it is not there', async () => {
    const { said } = await pushToBoth({}, ['origin', 'main', 'HEAD:refs/for/main'], FOR)
    expect(said).toContain(' ! [remote rejected] HEAD -> refs/for/main (fail to run proc-receive hook)')
  })

  it('finds the objects where it looks for them, and they stay', async () => {
    const update = `git update-ref refs/pull/1/head $(git rev-list --no-walk --max-count=1 --objects HEAD >/dev/null; cat new)\n`
    const hooks = {
      'pre-receive': 'while read old new ref; do echo $new >new; done',
      'proc-receive': update + procReceive('ok %s', 'option refname refs/pull/1/head'),
    }
    const { refs } = await pushToBoth(hooks, ['origin', 'HEAD:refs/for/main'], FOR)
    expect(refs.join('\n')).toContain('refs/pull/1/head')
  })
})
