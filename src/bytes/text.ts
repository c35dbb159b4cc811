const encoder = /* @__PURE__ */ new TextEncoder()
const decoder = /* @__PURE__ */ new TextDecoder('utf-8', { ignoreBOM: true })

/** Encodes text as UTF-8. */
export function encodeUtf8(text: string): Uint8Array {
  return encoder.encode(text)
}

/** Decodes UTF-8; malformed sequences become U+FFFD, as a lossy view for people. */
export function decodeUtf8(bytes: Uint8Array): string {
  return decoder.decode(bytes)
}

/** Decodes bytes one to one into code units 0 to 255: lossless for any bytes, and exact for ASCII. */
export function decodeLatin1(bytes: Uint8Array, start = 0, end: number = bytes.length): string {
  let text = ''
  for (let at = start; at < end; at += 4096) {
    text += String.fromCharCode.apply(
      null,
      bytes.subarray(at, Math.min(end, at + 4096)) as unknown as number[],
    )
  }
  return text
}

/** The inverse of {@link decodeLatin1}; code units above 255 are cut to their low byte. */
export function encodeLatin1(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length)
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at)
  return bytes
}
