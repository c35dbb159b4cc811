import { readFile } from 'node:fs/promises'
import { GitError } from '../../errors.ts'
import type { ObjectId } from '../../object/object-id.ts'

/**
 * Reads a file of ids of objects whose faults are put up with (`receive.fsck.skipList`): one a line, `#` begins a comment.
 *
 * @throws GitError `CORRUPT_CONFIG` when the file cannot be read, or has another line
 */
export async function readSkipList(path: string): Promise<ReadonlySet<ObjectId>> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    throw new GitError('CORRUPT_CONFIG', `receive.fsck.skipList: '${path}' cannot be read`, { cause })
  }
  const ids = new Set<ObjectId>()
  for (const line of text.split('\n')) {
    const id = line.replace(/#.*/, '').trim().toLowerCase()
    if (id === '') continue
    if (!/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(id)) {
      throw new GitError(
        'CORRUPT_CONFIG',
        `receive.fsck.skipList: '${id.slice(0, 80)}' in '${path}' is no object id`,
      )
    }
    ids.add(id)
  }
  return ids
}
