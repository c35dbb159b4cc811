import type { GitConfig } from '../config/git-config.ts'
import { parseFsckConfig } from '../object/fsck-config.ts'
import type { Repository } from '../repository/repository.ts'
import { listHiddenRefs } from './hidden-refs.ts'
import type { ProtocolOptions, ReceivePackOptions } from './service-options.ts'
import { createSessionId } from './session-id.ts'
import { parseUploadPackOptions } from './upload-pack/upload-config.ts'

/**
 * Reads the repository's config and maps what it says about serving to options.
 *
 * @throws GitError `CORRUPT_CONFIG` for a setting that does not parse
 */
export async function readProtocolOptions(repository: Repository): Promise<ProtocolOptions> {
  return parseProtocolOptions(await repository.readConfig())
}

/**
 * Maps the settings `uploadpack.*`, `receive.*` and `transfer.*` (git-config) to options. Settings of features that are
 * not there are ignored.
 *
 * @throws GitError `CORRUPT_CONFIG` for a setting that does not parse
 */
export function parseProtocolOptions(config: GitConfig): ProtocolOptions {
  return { uploadPack: parseUploadPackOptions(config), receivePack: parseReceivePackOptions(config) }
}

function parseReceivePackOptions(config: GitConfig): ReceivePackOptions {
  const maxInputSize = config.getInt('receive.maxInputSize', 0)
  const checks = config.getBool('receive.fsckObjects', config.getBool('transfer.fsckObjects', true))
  return {
    hiddenRefs: listHiddenRefs(config, 'receive.hiderefs'),
    keepAliveSeconds: Math.max(0, config.getInt('receive.keepAlive', 5)),
    ...(config.getBool('transfer.advertiseSID', false) ? { sessionId: createSessionId } : {}),
    denyNonFastForwards: config.getBool('receive.denyNonFastForwards', false),
    denyDeletes: config.getBool('receive.denyDeletes', false),
    denyDeleteCurrent: parseDenyAction(config, 'receive.denyDeleteCurrent'),
    advertiseAtomic: config.getBool('receive.advertiseAtomic', true),
    advertisePushOptions: config.getBool('receive.advertisePushOptions', false),
    shallowUpdate: config.getBool('receive.shallowUpdate', false),
    procReceiveRefs: config.getAll('receive.procReceiveRefs'),
    ...(maxInputSize > 0 ? { maxInputSize } : {}),
    fsck: checks && { strict: true, severities: parseFsckConfig(config.entries).severities },
  }
}

function parseDenyAction(config: GitConfig, key: string): 'ignore' | 'warn' | 'refuse' {
  const value = config.get(key)?.toLowerCase()
  if (value === 'ignore' || value === 'warn' || value === 'refuse') return value
  // `updateInstead` speaks of a working tree, which a served repository has none of.
  if (value === undefined || value === 'updateinstead') return 'refuse'
  return config.getBool(key, true) ? 'refuse' : 'ignore'
}
