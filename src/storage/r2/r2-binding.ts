/** What is used of an R2 bucket, as a Worker is given it: a part of the `R2Bucket` of `@cloudflare/workers-types`. */
export interface R2BucketBinding {
  get(key: string, options?: R2ReadOptions): Promise<R2Found | null>
  put(key: string, value: Uint8Array, options?: { onlyIf?: R2Condition }): Promise<R2Stored | null>
  createMultipartUpload(key: string): Promise<R2Upload>
  list(options?: R2Listing): Promise<R2Page>
  delete(keys: string[]): Promise<void>
}

export interface R2Condition {
  etagMatches?: string
  etagDoesNotMatch?: string
}

export interface R2ReadOptions {
  onlyIf?: R2Condition
  range?: { offset: number; length: number }
}

export interface R2Stored {
  readonly etag: string
}

/** Without `arrayBuffer` when the condition of the read did not hold. */
export interface R2Found extends R2Stored {
  arrayBuffer?(): Promise<ArrayBuffer>
}

export interface R2Part {
  partNumber: number
  etag: string
}

export interface R2Upload {
  uploadPart(partNumber: number, value: Uint8Array): Promise<R2Part>
  complete(parts: R2Part[]): Promise<R2Stored>
  abort(): Promise<void>
}

export interface R2Listing {
  prefix?: string
  startAfter?: string
  cursor?: string
  limit?: number
}

export interface R2Page {
  readonly objects: readonly {
    readonly key: string
    readonly size: number
    readonly uploaded: Date
    readonly etag: string
  }[]
  readonly truncated: boolean
  readonly cursor?: string
}
