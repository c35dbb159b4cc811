import type { RefEdit } from '../../refs/ref-edit.ts'

/**
 * Splits edits that stand alone into waves to carry out one after the other: an edit comes after those before it whose
 * names lie above or below its own, because a ref's file cannot be where another ref's directory still is. Nearly
 * always there is one wave.
 */
export function editsInWaves(edits: readonly RefEdit[]): RefEdit[][] {
  const waves: RefEdit[][] = []
  // Name and directory (with its slash) → the wave after the last edit of, or within, it.
  const after = new Map<string, number>()
  for (const edit of edits) {
    const directories = directoriesOf(edit.name)
    let wave = after.get(`${edit.name}/`) ?? 0
    for (const directory of directories) wave = Math.max(wave, after.get(directory.slice(0, -1)) ?? 0)
    for (const directory of directories) after.set(directory, Math.max(after.get(directory) ?? 0, wave + 1))
    after.set(edit.name, wave + 1)
    const members = (waves[wave] ??= [])
    members.push(edit)
  }
  return waves
}

/** `refs/heads/a` → `refs/`, `refs/heads/`. */
function directoriesOf(name: string): string[] {
  const directories: string[] = []
  for (let slash = name.indexOf('/'); slash >= 0; slash = name.indexOf('/', slash + 1)) {
    directories.push(name.slice(0, slash + 1))
  }
  return directories
}
