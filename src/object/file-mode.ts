/**
 * The modes of tree entries. Only the file-type bits decide what an entry is; a tree may carry permission bits
 * that git no longer writes (100664) and is still valid.
 */

/** The file-type bits of a mode. */
export const MODE_TYPE_MASK = 0o170000
export const TREE_MODE = 0o040000
export const FILE_MODE = 0o100644
export const EXECUTABLE_MODE = 0o100755
export const SYMLINK_MODE = 0o120000
export const GITLINK_MODE = 0o160000

/** Tells whether the entry is a directory. */
export function isTreeMode(mode: number): boolean {
  return (mode & MODE_TYPE_MASK) === TREE_MODE
}

/** Tells whether the entry is a symbolic link, whose blob holds the target. */
export function isSymlinkMode(mode: number): boolean {
  return (mode & MODE_TYPE_MASK) === SYMLINK_MODE
}

/** Tells whether the entry is a regular file, executable or not. */
export function isFileMode(mode: number): boolean {
  return (mode & MODE_TYPE_MASK) === 0o100000
}

/**
 * Tells whether the entry names a commit of another repository (a submodule), which this one need not have.
 * As in git, whatever is no tree, file or symbolic link counts as this, so that walks never follow it.
 */
export function isGitlinkMode(mode: number): boolean {
  return !isTreeMode(mode) && !isFileMode(mode) && !isSymlinkMode(mode)
}
