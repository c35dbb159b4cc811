import type { ProtocolOptions } from '../../protocol/service-options.ts'

/**
 * Which capabilities Git clients are offered: all that work, or those that Cloudflare Artifacts was seen to offer, in the same order, and
 * HEAD and its branch where it names them. What is not offered is not taken. The name of the server, `agent`, stays its own.
 */
export type GitCapabilities = 'full' | 'artifacts'

/** As observed: no filters but `blob:none`, no tags that come by themselves, no push of all or nothing, no push options. */
export const ARTIFACTS_CAPABILITIES: ProtocolOptions = {
  uploadPack: {
    capabilities: [
      'v0/agent',
      'v0/object-format',
      'v0/multi_ack',
      'v0/multi_ack_detailed',
      'v0/no-done',
      'v0/side-band',
      'v0/side-band-64k',
      'v0/shallow',
      'v0/deepen-since',
      'v0/deepen-not',
      'v0/deepen-relative',
      'v0/allow-tip-sha1-in-want',
      'v0/allow-reachable-sha1-in-want',
      'v0/no-progress',
      'v0/symref',
      'v2/agent',
      'v2/ls-refs',
      'v2/fetch',
      'v2/fetch=shallow',
      'v2/fetch=filter',
      'v2/fetch=sideband-all',
      'v2/object-format',
    ],
    filters: { allow: false, kinds: { 'blob:none': true } },
    unbornSymref: true,
  },
  receivePack: {
    capabilities: [
      'push/report-status',
      'push/delete-refs',
      'push/ofs-delta',
      'push/side-band-64k',
      'push/symref',
    ],
    advertiseHead: true,
  },
}
