import { openRepositoryAt } from '../open-repository.ts'
import { writeOut } from '../output.ts'

/** `packstone ls-refs`: HEAD and all refs with their ids, tags peeled, in the shape of `git ls-remote`. */
export async function lsRefsCommand(path: string): Promise<void> {
  const repository = await openRepositoryAt(path)
  try {
    const view = await repository.openView()
    try {
      let text = ''
      for (const ref of await repository.listAdvertisedRefs(view, { peel: true })) {
        text += `${ref.id}\t${ref.name}\n`
        if (ref.peeled !== undefined) text += `${ref.peeled}\t${ref.name}^{}\n`
      }
      await writeOut(text)
    } finally {
      await view.close()
    }
  } finally {
    await repository.close()
  }
}
