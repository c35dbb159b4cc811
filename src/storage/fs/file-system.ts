import * as nodeFileSystem from 'node:fs/promises'

/**
 * The operations of `node:fs/promises` that this adapter uses. Everything it does to a disk goes through one value of
 * this type, so that a test can stop the world before any of them.
 */
export type FileSystem = Pick<
  typeof nodeFileSystem,
  | 'chmod'
  | 'link'
  | 'lstat'
  | 'mkdir'
  | 'open'
  | 'readdir'
  | 'readlink'
  | 'realpath'
  | 'rename'
  | 'rm'
  | 'rmdir'
  | 'stat'
  | 'unlink'
  | 'utimes'
>

/** An open file, as the file system port hands it out. */
export type OpenFile = nodeFileSystem.FileHandle

/** The machine's own file system. */
export const localFileSystem: FileSystem = nodeFileSystem
