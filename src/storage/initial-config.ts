import { encodeGitConfig } from '../config/config-edit.ts'
import type { ObjectFormatName } from '../object/object-format.ts'

/** The git config of a new bare repository, as `git init --bare` writes it where files have an executable bit. */
export function initialConfig(objectFormat: ObjectFormatName): string {
  const isDefault = objectFormat === 'sha1'
  return encodeGitConfig([
    { key: 'core.repositoryformatversion', value: isDefault ? '0' : '1' },
    { key: 'core.filemode', value: 'true' },
    { key: 'core.bare', value: 'true' },
    ...(isDefault ? [] : [{ key: 'extensions.objectformat', value: objectFormat }]),
  ])
}
