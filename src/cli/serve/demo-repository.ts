import { concatBytes } from '../../bytes/concat.ts'
import { encodeHex } from '../../bytes/hex.ts'
import { encodeUtf8 } from '../../bytes/text.ts'
import type { Codecs } from '../../codec/ports.ts'
import { GitError } from '../../errors.ts'
import type { ObjectFormat } from '../../object/object-format.ts'
import { hashObject } from '../../object/object-id.ts'
import { BLOB, COMMIT, TREE, type ObjectType } from '../../object/object-type.ts'
import { MAX_ENTRY_HEADER, encodeEntryHeader } from '../../pack/entry-header.ts'
import { encodePackHeader } from '../../pack/pack-header.ts'
import type { Repository } from '../../repository/repository.ts'

const BRANCH = 'refs/heads/main'

const README = `# demo

This repository was made by \`packstone serve\`. Clone it, change something, commit and push:

    git commit -am 'My first push'
    git push
`

/**
 * Gives a repository without refs its first commit, by way of a push to itself. A repository that has refs is left as
 * it is.
 *
 * @param time of the commit, in seconds since the epoch.
 */
export async function ensureFirstCommit(repository: Repository, time: number): Promise<void> {
  if ((await repository.storage.listRefs('refs/')).length > 0) return
  const { format, codecs } = repository
  const readme = { type: BLOB, body: encodeUtf8(README) } as const
  const blobId = hashObject(BLOB, readme.body, format)
  const tree = { type: TREE, body: concatBytes([encodeUtf8('100644 README.md\0'), blobId]) } as const
  const treeId = encodeHex(hashObject(TREE, tree.body, format))
  const identity = `packstone <packstone@localhost>`
  const stamp = `${identity} ${time} +0000`
  const commit = {
    type: COMMIT,
    body: encodeUtf8(`tree ${treeId}\nauthor ${stamp}\ncommitter ${stamp}\n\nBegin the demo repository\n`),
  } as const
  const id = encodeHex(hashObject(COMMIT, commit.body, format))

  const pack = await repository.receivePack(once(encodePack([commit, tree, readme], format, codecs)))
  try {
    const [outcome] = await pack.commit(
      [
        {
          name: BRANCH,
          expect: { kind: 'absent' },
          target: { kind: 'direct', id },
          reflog: { identity, time, timezone: 0, message: 'commit (initial): Begin the demo repository' },
        },
      ],
      { atomic: true },
    )
    if (outcome?.kind === 'rejected' && outcome.rejection.reason !== 'stale') {
      throw new GitError(
        'STORAGE',
        `the demo repository cannot get its first commit: ${outcome.rejection.reason}`,
      )
    }
  } finally {
    await pack.discard()
  }
}

function encodePack(
  objects: readonly { readonly type: ObjectType; readonly body: Uint8Array }[],
  format: ObjectFormat,
  codecs: Codecs,
): Uint8Array {
  const pieces = [encodePackHeader(objects.length)]
  for (const { type, body } of objects) {
    const header = new Uint8Array(MAX_ENTRY_HEADER)
    pieces.push(
      header.subarray(0, encodeEntryHeader(type, body.length, header, 0)),
      codecs.deflate.deflate(body),
    )
  }
  const entries = concatBytes(pieces)
  const trailer = new Uint8Array(format.idLength)
  format.hash.digestRangeInto(entries, 0, entries.length, trailer, 0)
  return concatBytes([entries, trailer])
}

// eslint-disable-next-line @typescript-eslint/require-await -- a stream of one piece has nothing to wait for
async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes
}
