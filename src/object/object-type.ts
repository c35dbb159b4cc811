import { GitError } from '../errors.ts'

/** The four kinds of object, by the names used in object headers. */
export type ObjectTypeName = 'commit' | 'tree' | 'blob' | 'tag'

/**
 * The four kinds of object as the numbers that pack entries use (gitformat-pack, "object types"). Inner code uses
 * these; names are for headers, the public API and people.
 */
export type ObjectType = typeof COMMIT | typeof TREE | typeof BLOB | typeof TAG

export const COMMIT = 1
export const TREE = 2
export const BLOB = 3
export const TAG = 4

const NAMES: readonly (ObjectTypeName | undefined)[] = [undefined, 'commit', 'tree', 'blob', 'tag']

/** The name of a type number. */
export function objectTypeName(type: ObjectType): ObjectTypeName {
  return NAMES[type]!
}

/**
 * The number of a type name.
 *
 * @throws GitError `CORRUPT_OBJECT` for any other word.
 */
export function parseObjectType(name: string): ObjectType {
  const type = NAMES.indexOf(name as ObjectTypeName)
  if (type < 1)
    throw new GitError('CORRUPT_OBJECT', `unknown object type '${name}'; expected commit, tree, blob or tag`)
  return type as ObjectType
}
