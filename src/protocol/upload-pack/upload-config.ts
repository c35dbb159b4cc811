import type { GitConfig } from '../../config/git-config.ts'
import { GitError } from '../../errors.ts'
import { FILTER_KINDS, type FilterKind } from '../../graph/object-filter.ts'
import { listHiddenRefs } from '../hidden-refs.ts'
import { createSessionId } from '../session-id.ts'
import type {
  Bundle,
  BundleList,
  FilterPolicy,
  PackfileUri,
  UnbornPolicy,
  UploadPackOptions,
} from './upload-options.ts'

/**
 * Maps the settings of fetching (git-config: `uploadpack.*`, `uploadpackfilter.*`, `transfer.*`, `lsrefs.*`, `bundle.*`) to options.
 *
 * @throws GitError `CORRUPT_CONFIG`
 */
export function parseUploadPackOptions(config: GitConfig): UploadPackOptions {
  const bundles = parseBundles(config)
  return {
    hiddenRefs: listHiddenRefs(config, 'uploadpack.hiderefs'),
    keepAliveSeconds: Math.max(0, config.getInt('uploadpack.keepAlive', 5)),
    ...(config.getBool('transfer.advertiseSID', false) ? { sessionId: createSessionId } : {}),
    allowTipSha1InWant: config.getBool('uploadpack.allowTipSHA1InWant', false),
    allowReachableSha1InWant: config.getBool('uploadpack.allowReachableSHA1InWant', false),
    allowAnySha1InWant: config.getBool('uploadpack.allowAnySHA1InWant', false),
    allowFilter: config.getBool('uploadpack.allowFilter', false),
    filters: parseFilterPolicy(config),
    allowRefInWant: config.getBool('uploadpack.allowRefInWant', false),
    allowSidebandAll: config.getBool('uploadpack.allowSidebandAll', false),
    advertiseObjectInfo: config.getBool('transfer.advertiseObjectInfo', true),
    unborn: parseUnborn(config),
    packfileUris: config.getAll('uploadpack.blobPackfileUri').map(parsePackfileUri),
    ...(bundles === undefined ? {} : { bundles }),
  }
}

/** Later settings overrule earlier ones; a greatest depth allows `tree` as well. */
function parseFilterPolicy(config: GitConfig): FilterPolicy {
  const kinds: Partial<Record<FilterKind, boolean>> = {}
  let maxTreeDepth: number | undefined
  for (const { key } of config.entries) {
    const [, name, setting] = /^uploadpackfilter\.(.+)\.(allow|maxdepth)$/.exec(key) ?? []
    if (setting === 'allow') {
      const kind = FILTER_KINDS.find((candidate) => candidate === name)
      if (kind !== undefined) kinds[kind] = config.getBool(key, true)
    } else if (setting === 'maxdepth' && name === 'tree') {
      kinds.tree = config.getBool('uploadpackfilter.tree.allow', true)
      maxTreeDepth = config.getInt(key, 0)
    }
  }
  return {
    allow: config.getBool('uploadpackfilter.allow', true),
    kinds,
    ...(maxTreeDepth === undefined ? {} : { maxTreeDepth }),
  }
}

function parseUnborn(config: GitConfig): UnbornPolicy {
  const value = config.get('lsrefs.unborn') ?? 'advertise'
  if (value === 'advertise' || value === 'allow' || value === 'ignore') return value
  throw new GitError('CORRUPT_CONFIG', `invalid value for 'lsrefs.unborn': '${value}'`)
}

function parsePackfileUri(value: string): PackfileUri {
  const [, object, pack, uri] =
    /^([0-9a-f]{40}|[0-9a-f]{64}) ([0-9a-f]{40}|[0-9a-f]{64}) (\S+)$/.exec(value) ?? []
  if (object !== undefined && pack !== undefined && uri !== undefined) return { object, pack, uri }
  throw new GitError(
    'CORRUPT_CONFIG',
    "value of uploadpack.blobpackfileuri must be of the form '<object-hash> <pack-hash> <uri>' " +
      `(got '${value}')`,
  )
}

/** The list of bundles, if it is to be advertised (`uploadpack.advertiseBundleURIs`). */
function parseBundles(config: GitConfig): BundleList | undefined {
  if (!config.getBool('uploadpack.advertiseBundleURIs', false)) return undefined
  const bundles = new Map<string, Partial<Bundle>>()
  for (const entry of config.entries) {
    const [, id, setting] = /^bundle\.([^.]+)\.(uri|creationtoken)$/.exec(entry.key) ?? []
    if (id === undefined || setting === undefined) continue
    const value =
      setting === 'uri'
        ? { uri: entry.value ?? '' }
        : { creationToken: config.getInt(`bundle.${id}.creationToken`, 0) }
    bundles.set(id, { ...bundles.get(id), ...value })
  }
  const mode = config.get('bundle.mode') ?? 'all'
  if (mode !== 'all' && mode !== 'any') {
    throw new GitError('CORRUPT_CONFIG', `bundle.mode is '${mode}'; expected all or any`)
  }
  return {
    mode,
    ...(config.get('bundle.heuristic') === 'creationToken' ? { heuristic: 'creationToken' as const } : {}),
    bundles: [...bundles].flatMap(([id, { uri, ...rest }]) =>
      uri === undefined ? [] : [{ id, uri, ...rest }],
    ),
  }
}
