/**
 * The codec in a browser (or any JavaScript engine): TextDecoder for long text, TextEncoder for writing it. Browsers
 * have no synchronous zlib and no byte port of BigInt: the portable ones serve. Importing this file binds them.
 */
import { bindPlatform, PORTABLE } from './platform.js'

export * from './door.js'

/** Bytes below which plain JavaScript is quicker than a call into the engine. */
const SHORT = 64

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const encoder = new TextEncoder()

function readUtf8(bytes: Uint8Array, start: number, end: number): string | undefined {
  if (end - start < SHORT) return PORTABLE.readUtf8(bytes, start, end)
  try {
    return decoder.decode(bytes.subarray(start, end))
  } catch {
    return undefined
  }
}

function writeUtf8(target: Uint8Array, position: number, text: string): number {
  // TextEncoder writes a lone surrogate as U+FFFD without saying so: text that may have one goes the portable way.
  if (/[\ud800-\udfff]/.test(text)) return PORTABLE.writeUtf8(target, position, text)
  return position + encoder.encodeInto(text, target.subarray(position)).written
}

bindPlatform({ name: 'web', readUtf8, writeUtf8 })
