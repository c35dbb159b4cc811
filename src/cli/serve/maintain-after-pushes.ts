import type { ProcessRole } from '../../hosts/node/processes/process-role.ts'
import type { ResolveRepository } from '../../http/index.ts'
import {
  MaintenanceScheduler,
  readAutoPackLimit,
} from '../../repository/maintenance/maintenance-scheduler.ts'

/** When a server maintains what it serves: `auto` after pushes, where there are many packs. */
export type MaintainWhen = 'auto' | 'off'

/** A way to find repositories that also sees to their maintenance. */
export interface MaintainedResolution {
  readonly resolve: ResolveRepository
  /** Stops what is running. */
  close(): Promise<void>
}

/**
 * Has repositories maintained after pushes to them, as their config allows, by the keeper of those who serve them. Those that are
 * maintained are found as for a fetch.
 */
export function maintainAfterPushes(
  resolve: ResolveRepository,
  when: MaintainWhen,
  { role, onError }: { readonly role: ProcessRole; readonly onError: (error: unknown) => void },
): MaintainedResolution {
  if (when === 'off') return { resolve, close: () => Promise.resolve() }
  const scheduler = new MaintenanceScheduler({
    open: async (path) => {
      const resolution = await resolve(path, new Request('http://localhost/'), 'git-upload-pack')
      return resolution.kind === 'found' ? resolution : undefined
    },
    maxPacks: readAutoPackLimit,
    onError,
  })
  role.onTold((path) => {
    scheduler.notify(path)
  })
  return {
    resolve: async (path, request, service) => {
      const resolution = await resolve(path, request, service)
      const isPush = service === 'git-receive-pack' && request.method === 'POST'
      if (!isPush || resolution.kind !== 'found') return resolution
      return {
        ...resolution,
        release: () => {
          resolution.release?.()
          role.tellKeeper(path)
        },
      }
    },
    close: () => scheduler.close(),
  }
}
