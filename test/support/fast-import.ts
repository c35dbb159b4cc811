import { TEST_TIME, tryGit } from './git.ts'

type Content = string | Uint8Array

/** A change that a commit makes to the tree of its first parent. Paths may be bytes, for names that are not UTF-8. */
export type FileChange =
  | {
      readonly kind: 'write'
      readonly path: Content
      readonly content: Content
      readonly mode?: '100644' | '100755' | '120000'
    }
  | { readonly kind: 'gitlink'; readonly path: Content; readonly id: string }
  | { readonly kind: 'delete'; readonly path: Content }
  | { readonly kind: 'rename' | 'copy'; readonly from: Content; readonly to: Content }
  | { readonly kind: 'delete-all' }
  | { readonly kind: 'note'; readonly commit: number; readonly content: Content }

export interface FastImportCommit {
  /** Full ref name that the commit moves. */
  readonly ref: string
  /** Marks of the parents. Absent: the ref's present commit. Empty: a root commit. */
  readonly parents?: readonly number[]
  readonly message?: Content
  readonly changes?: readonly FileChange[]
  /** The `encoding` header. */
  readonly encoding?: string
}

/** Writes a stream for `git fast-import`: the quick way to make a large history. Commits are a minute apart. */
export class FastImport {
  readonly #chunks: Uint8Array[] = []
  #mark = 0
  #time = TEST_TIME

  /** Adds a commit; returns its mark, to be named as a parent or by refs and tags. */
  commit(commit: FastImportCommit): number {
    const { ref, parents, message = `change ${this.#mark + 1}\n`, changes = [], encoding } = commit
    this.#time += 60
    if (parents?.length === 0) this.#text(`reset ${ref}\n\n`)
    this.#text(`commit ${ref}\nmark :${++this.#mark}\n`)
    this.#text(`author A U Thor <author@example.com> ${this.#time} +0200\n`)
    this.#text(`committer C O Mitter <committer@example.com> ${this.#time} +0200\n`)
    if (encoding !== undefined) this.#text(`encoding ${encoding}\n`)
    this.#data(message)
    parents?.forEach((parent, at) => {
      this.#text(`${at === 0 ? 'from' : 'merge'} :${parent}\n`)
    })
    for (const change of changes) this.#change(change)
    this.#text('\n')
    return this.#mark
  }

  /** Adds an annotated tag. */
  tag(name: string, mark: number, message: Content): void {
    this.#text(`tag ${name}\nfrom :${mark}\ntagger C O Mitter <committer@example.com> ${this.#time} +0200\n`)
    this.#data(message)
  }

  /** Points a ref at a commit. */
  ref(name: string, mark: number): void {
    this.#text(`reset ${name}\nfrom :${mark}\n\n`)
  }

  /** Feeds the stream to git in the given repository. All objects land in one pack. */
  async run(repository: string): Promise<void> {
    const args = ['-c', 'fastimport.unpackLimit=0', 'fast-import', '--quiet', '--force', '--date-format=raw']
    const input = Buffer.concat(this.#chunks)
    const result = await tryGit(args, { cwd: repository, input })
    if (result.code !== 0) throw new Error(`git fast-import failed: ${result.stderr}`)
  }

  #change(change: FileChange): void {
    switch (change.kind) {
      case 'write':
        this.#text(`M ${change.mode ?? '100644'} inline ${quotePath(change.path)}\n`)
        this.#data(change.content)
        break
      case 'gitlink':
        this.#text(`M 160000 ${change.id} ${quotePath(change.path)}\n`)
        break
      case 'delete':
        this.#text(`D ${quotePath(change.path)}\n`)
        break
      case 'rename':
      case 'copy':
        this.#text(
          `${change.kind === 'rename' ? 'R' : 'C'} ${quotePath(change.from)} ${quotePath(change.to)}\n`,
        )
        break
      case 'delete-all':
        this.#text('deleteall\n')
        break
      case 'note':
        this.#text(`N inline :${change.commit}\n`)
        this.#data(change.content)
        break
    }
  }

  #text(text: string): void {
    this.#chunks.push(Buffer.from(text))
  }

  #data(content: Content): void {
    const bytes = typeof content === 'string' ? Buffer.from(content) : content
    this.#text(`data ${bytes.length}\n`)
    this.#chunks.push(bytes)
    this.#text('\n')
  }
}

/** A path as fast-import reads it: quoted, with every unusual byte as an octal escape. */
function quotePath(path: Content): string {
  const bytes = typeof path === 'string' ? Buffer.from(path) : path
  let quoted = '"'
  for (const byte of bytes) {
    const plain = byte > 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c
    quoted += plain ? String.fromCharCode(byte) : `\\${byte.toString(8).padStart(3, '0')}`
  }
  return `${quoted}"`
}
