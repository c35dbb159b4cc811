import { Command, InvalidArgumentError, Option } from 'commander'
import { misuse } from './failure.ts'
import type { BundleCommandOptions } from './commands/bundle.ts'
import type { CatFileOptions } from './commands/cat-file.ts'
import type { IndexPackOptions } from './commands/index-pack.ts'
import type { MaintainCommandOptions } from './commands/maintain.ts'
import type { PackCommandOptions } from './commands/pack.ts'
import type { ServeBareOptions } from './commands/serve-bare.ts'
import type { ServeHubOptions } from './commands/serve-hub.ts'
import type { ServePlainOptions } from './commands/serve-plain.ts'
import type { VerifyPackOptions } from './commands/verify-pack.ts'
import packageJson from '../../package.json' with { type: 'json' }

/** What `packstone serve` is told, whatever it serves. */
interface ServeOptions extends Omit<
  ServeBareOptions & ServePlainOptions & ServeHubOptions,
  'bare' | 'serving'
> {
  readonly plain: boolean
  readonly bare?: string
  readonly processes: number
}

/** Options of the hub only. */
const HUB_OPTIONS = [
  'apiToken',
  'account',
  'origin',
  'artifactsLimits',
  'gitCapabilities',
  'webhook',
  'webhookSecret',
  'importAllowLoopback',
  'demo',
]

/**
 * The command line, as commander describes it. Only what a command needs is loaded, when it runs: indexing a pack
 * does not wait for the HTTP server's modules.
 */
export function createProgram(): Command {
  const program = new Command('packstone')
    .description('A Git engine in TypeScript: serves repositories, and works on packs.')
    .version(packageJson.version)
    .exitOverride()
    .configureOutput({
      outputError: (text, write) => {
        write(text.replace(/^error: /, 'packstone: '))
      },
    })
    .showHelpAfterError('(see packstone --help)')

  const command = (name: string, description: string): Command =>
    program.command(name).description(description)

  command(
    'serve',
    'serve repositories over HTTP: a hub with a REST interface and tokens, or what is there already',
  )
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--port <number>', 'port to listen on; 0 picks a free one', parsePort, 8080)
    .option('--data <dir>', 'where the hub, or the storage of --plain, keeps its data', './packstone-data')
    .addOption(
      new Option('--storage <kind>', 'what repositories are in below --data, or in a bucket')
        .choices(['fs', 'sqlite', 'memory', 's3'])
        .default('fs')
        .conflicts('bare'),
    )
    .addOption(
      new Option(
        '--endpoint <url>',
        'with --storage s3: the S3-compatible service; credentials in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
      ).conflicts('bare'),
    )
    .addOption(new Option('--bucket <name>', 'with --storage s3: the bucket').conflicts('bare'))
    .addOption(
      new Option('--prefix <path/>', 'with --storage s3: begins the names of all objects').conflicts('bare'),
    )
    .option(
      '--api-token <token>',
      'opens the REST interface; default: that of PACKSTONE_API_TOKEN in the environment, or a new one, printed once',
    )
    .option('--account <name>', 'the account in the paths of the REST interface', parseAccount, 'local')
    .option('--origin <url>', 'where clients reach the hub; default: where it listens', parseOrigin)
    .option('--artifacts-limits', 'hold clients to the limits of Cloudflare Artifacts', false)
    .addOption(
      new Option('--git-capabilities <set>', 'offer Git clients all that works, or what Artifacts offers')
        .choices(['full', 'artifacts'])
        .default('full'),
    )
    .option(
      '--webhook <url>',
      'post what happens to this address, and to those of further --webhook, as signed JSON',
      collectAddresses,
      [],
    )
    .option(
      '--webhook-secret <text>',
      'signs what is posted; default: that of PACKSTONE_WEBHOOK_SECRET in the environment',
    )
    .option(
      '--import-allow-loopback',
      'let repositories be imported from this machine, over http too: for tests',
      false,
    )
    .option('--demo', 'have a repository ready, and print how to clone it', false)
    .addOption(
      new Option('--plain', 'serve the repositories of a storage, under their keys, to everybody')
        .default(false)
        .conflicts(['bare', ...HUB_OPTIONS]),
    )
    .addOption(
      new Option('--create-on-push', 'with --plain and --allow-push: a push makes the repository it names')
        .default(false)
        .implies({ plain: true }),
    )
    .addOption(
      new Option('--bare <dir>', 'serve every bare repository below this folder to everybody').conflicts(
        HUB_OPTIONS,
      ),
    )
    .addOption(
      new Option(
        '--allow-push',
        'with --bare or --plain: let everybody push, except where http.receivepack is false',
      ).default(false),
    )
    .option(
      '--export-ok',
      'with --bare: serve only repositories that have a git-daemon-export-ok file',
      false,
    )
    .option(
      '--remote-user-header <name>',
      'with --bare: who sends this header may push, except where http.receivepack is false: for a proxy in front that authenticates',
      parseHeaderName,
    )
    .option(
      '--hooks',
      "with --bare: run the repositories' own hook programs; without it nothing of theirs is run",
      false,
    )
    .addOption(
      new Option('--object-format <name>', 'with --create-on-push: hash of repositories that are made')
        .choices(['sha1', 'sha256'])
        .default('sha1'),
    )
    .addOption(
      new Option(
        '--maintain <when>',
        'join small packs after pushes, where there are more than gc.autoPackLimit',
      )
        .choices(['auto', 'off'])
        .default('auto'),
    )
    .addOption(memoryBudgetOption())
    .addOption(
      new Option(
        '--threads <n>',
        'index each large pack that is pushed with so many threads, in every process',
      )
        .argParser(parseThreads)
        .default(1),
    )
    .option(
      '--processes <n>',
      'answer requests in so many processes, which share the port, the storage and the memory budget',
      parseProcesses,
      1,
    )
    .option('--quiet', 'print no line for every request', false)
    .action(async (options: ServeOptions) => {
      assertOptionsBelong(options)
      const { enterServingProcess } = await import('./serve/serving-process.ts')
      const serving = await enterServingProcess(options)
      if (serving === undefined) return
      const { bare } = options
      if (bare !== undefined) {
        const { serveBareCommand } = await import('./commands/serve-bare.ts')
        await serveBareCommand({ ...options, bare, serving })
      } else if (options.plain) {
        const { servePlainCommand } = await import('./commands/serve-plain.ts')
        await servePlainCommand({ ...options, serving })
      } else {
        const { serveHubCommand } = await import('./commands/serve-hub.ts')
        await serveHubCommand({ ...options, serving })
      }
    })

  command('index-pack', 'verify a pack and write its index; prints the checksum of the pack')
    .argument('<file.pack>')
    .option('--out <file.idx>', 'where to write the index; default: beside the pack')
    .option('--portable', 'use the codecs in TypeScript instead of those of Node', false)
    .addOption(objectFormatOption())
    .addOption(memoryBudgetOption())
    .addOption(threadsOption().default(1))
    .option('--collision-detection', 'refuse objects that were made by an attack on SHA-1', false)
    .option('--no-collision-detection', 'do not look for attacks on SHA-1 (default)')
    .option('--quiet', 'show no progress', false)
    .action(async (file: string, options: IndexPackOptions) => {
      const { indexPackCommand } = await import('./commands/index-pack.ts')
      await indexPackCommand(file, options)
    })

  command('verify-pack', 'verify packs together with their indexes')
    .argument('<file.idx...>')
    .option('-v, --verbose', 'list all objects, and how long the delta chains are', false)
    .option('-s, --stat-only', 'show how long the delta chains are', false)
    .addOption(objectFormatOption())
    .action(async (files: string[], options: VerifyPackOptions) => {
      const { verifyPackCommand } = await import('./commands/verify-pack.ts')
      await verifyPackCommand(files, options)
    })

  command('cat-file', 'print the objects that the lines of standard input name, by id or by ref')
    .argument('<repository>')
    .addOption(new Option('--batch', 'print id, type, size and content').conflicts('batchCheck'))
    .option('--batch-check', 'print id, type and size')
    .action(async (repository: string, options: CatFileOptions) => {
      const { catFileCommand } = await import('./commands/cat-file.ts')
      await catFileCommand(repository, options)
    })

  command('pack', 'make one pack of everything that the refs of a repository reach')
    .argument('<repository>')
    .option('--all', 'pack what all refs reach')
    .option('--stdout', 'write the pack to standard output', false)
    .option('--out-dir <dir>', 'where to write pack-<checksum>.pack and .idx', '.')
    .option('--window <n>', 'search deltas: compare each object with so many others', parseCount)
    .option('--depth <n>', 'search deltas: let chains of them become so long', parseCount)
    .option('--no-reuse-delta', 'search deltas anew, also where some are stored')
    .option('--no-reuse-object', 'search deltas anew, and deflate everything anew')
    .addOption(searchThreadsOption())
    .option('--portable', 'use the codecs in TypeScript instead of those of Node', false)
    .option('--quiet', 'show no progress', false)
    .action(async (repository: string, options: PackCommandOptions) => {
      const { packCommand } = await import('./commands/pack.ts')
      await packCommand(repository, options)
    })

  command('maintain', 'maintain repositories: pack them, collect garbage, write what git derives from packs')
    .argument('[repository...]', 'paths, or with --storage keys; without any, all of the storage')
    .addOption(
      new Option('--storage <kind>', 'maintain the repositories of a storage').choices([
        'fs',
        'sqlite',
        's3',
      ]),
    )
    .option('--data <dir>', 'with --storage fs and sqlite: where it is', './packstone-data')
    .option('--endpoint <url>', 'with --storage s3: the S3-compatible service; credentials as for serve')
    .option('--bucket <name>', 'with --storage s3: the bucket')
    .option('--prefix <path/>', 'with --storage s3: begins the names of all objects')
    .option('--geometric', 'join small packs until each is twice as large as the next (the default)', false)
    .option('--full', 'make one pack of everything reachable, its deltas searched anew', false)
    .option('--gc', 'like --full, and remove unreachable objects when their time is over', false)
    .option(
      '--grace <time>',
      'with --gc: how long those are kept, such as 2w, 36h or now; default 2w',
      parseDuration,
    )
    .option('--force', 'search deltas anew also where that was done before', false)
    .option('--time-budget <seconds>', 'end after so long; the next call goes on', parsePositive)
    .option('--bundle <dir>', 'then write <dir>/<name>.bundle for clones to begin with, from a CDN')
    .option('--window <n>', 'compare each object with so many others', parseCount)
    .option('--depth <n>', 'let chains of deltas become so long', parseCount)
    .addOption(searchThreadsOption())
    .addOption(memoryBudgetOption())
    .option('--quiet', 'print nothing but errors', false)
    .action(async (repositories: string[], options: MaintainCommandOptions) => {
      const { maintainCommand } = await import('./commands/maintain.ts')
      await maintainCommand(repositories, options)
    })

  command('bundle', 'write a bundle of branches and tags: a file that clones can begin with, from a CDN')
    .argument('<repository>')
    .argument('<file>')
    .option('--quiet', 'show no progress', false)
    .action(async (repository: string, file: string, options: BundleCommandOptions) => {
      const { bundleCommand } = await import('./commands/bundle.ts')
      await bundleCommand(repository, file, options)
    })

  command('ls-refs', 'list the refs of a repository with the objects that they name')
    .argument('<repository>')
    .action(async (repository: string) => {
      const { lsRefsCommand } = await import('./commands/ls-refs.ts')
      await lsRefsCommand(repository)
    })

  return program
}

/** Refuses options that would count for nothing, so that nobody believes they do. */
function assertOptionsBelong(options: ServeOptions): void {
  const { bare, plain, exportOk, hooks, allowPush, objectFormat, remoteUserHeader } = options
  if (bare === undefined) {
    if (exportOk) throw misuse('--export-ok needs --bare')
    if (hooks) throw misuse('--hooks needs --bare: other repositories have no hook programs')
    if (remoteUserHeader !== undefined) throw misuse('--remote-user-header needs --bare')
  }
  if (bare !== undefined || plain) return
  if (allowPush) throw misuse('--allow-push needs --bare or --plain: a hub lets those push who have a token')
  if (objectFormat !== 'sha1') throw misuse('--object-format needs --create-on-push: a hub has SHA-1 only')
}

function parseAccount(text: string): string {
  if (!/^[A-Za-z0-9_-]+$/.test(text)) {
    throw new InvalidArgumentError("an account is of letters, digits, '_' and '-'.")
  }
  return text
}

function collectAddresses(text: string, before: readonly string[]): readonly string[] {
  return [...before, parseOrigin(text)]
}

function parseOrigin(text: string): string {
  if (!/^https?:\/\//.test(text) || !URL.canParse(text)) {
    throw new InvalidArgumentError('expected an address that begins with http:// or https://.')
  }
  return text
}

function objectFormatOption(): Option {
  return new Option('--object-format <name>', 'hash that names the objects')
    .choices(['sha1', 'sha256'])
    .default('sha1')
}

function memoryBudgetOption(): Option {
  return new Option(
    '--memory-budget <MiB>',
    'memory for caches and for packs in work; default: a quarter of what there is, 512 at most',
  ).argParser(parseMebibytes)
}

function threadsOption(): Option {
  return new Option(
    '--threads <n>',
    'work with so many threads, as far as the pack fits the memory budget',
  ).argParser(parseThreads)
}

function searchThreadsOption(): Option {
  return new Option('--threads <n>', 'search deltas with so many threads; what comes out is the same')
    .argParser(parseThreads)
    .default(1)
}

function parseThreads(text: string): number {
  return parseNumberTo(256, text)
}

function parseProcesses(text: string): number {
  return parseNumberTo(1024, text)
}

function parseNumberTo(most: number, text: string): number {
  const count = Number(text)
  if (!/^\d+$/.test(text) || count < 1 || count > most) {
    throw new InvalidArgumentError(`expected a whole number from 1 to ${most}.`)
  }
  return count
}

function parseMebibytes(text: string): number {
  const mebibytes = Number(text)
  if (!/^\d+$/.test(text) || mebibytes < 1 || mebibytes > 1 << 20) {
    throw new InvalidArgumentError('a budget is a whole number of MiB, at least 1.')
  }
  return mebibytes * (1 << 20)
}

function parsePort(text: string): number {
  const port = Number(text)
  if (!/^\d+$/.test(text) || port > 65_535) {
    throw new InvalidArgumentError('a port is a whole number from 0 to 65535.')
  }
  return port
}

function parseHeaderName(text: string): string {
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(text)) {
    throw new InvalidArgumentError('expected the name of an HTTP header.')
  }
  return text
}

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 }

/** Milliseconds. */
function parseDuration(text: string): number {
  if (text === 'now') return 0
  const [, digits, unit = ''] = /^(\d+)([smhdw])$/.exec(text) ?? []
  const seconds = Number(digits) * (UNITS[unit] ?? Number.NaN)
  if (!Number.isSafeInteger(1000 * seconds)) {
    throw new InvalidArgumentError("expected a time such as 90s, 30m, 36h, 10d, 2w, or 'now'.")
  }
  return 1000 * seconds
}

function parsePositive(text: string): number {
  const number = Number(text)
  if (!/^\d+(\.\d+)?$/.test(text) || number <= 0) {
    throw new InvalidArgumentError('expected a number above 0.')
  }
  return number
}

function parseCount(text: string): number {
  const count = Number(text)
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(count)) {
    throw new InvalidArgumentError('expected a whole number, 0 or more.')
  }
  return count
}
