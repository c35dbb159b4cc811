import type { ObjectFormatName } from '../object/object-format.ts'

/** The git config of a new bare repository, as `git init --bare` writes it where files have an executable bit. */
export function initialConfig(objectFormat: ObjectFormatName): string {
  const core = (version: number): string =>
    `[core]\n\trepositoryformatversion = ${version}\n\tfilemode = true\n\tbare = true\n`
  return objectFormat === 'sha1' ? core(0) : `${core(1)}[extensions]\n\tobjectformat = ${objectFormat}\n`
}
