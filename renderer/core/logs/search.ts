/**
 * Literal search in bytes, ASCII letters of either case (Boyer-Moore-Horspool with a folded alphabet): a million
 * lines are searched without decoding one of them.
 */
export interface Needle {
  readonly query: string;
  /** Index of the first match that begins in [from, to - length], or -1. */
  find(bytes: Uint8Array, from: number, to: number): number;
}

const fold = new Uint8Array(256).map((_, code) => (code >= 65 && code <= 90 ? code + 32 : code));

export function needleOf(query: string): Needle | undefined {
  const wanted = new TextEncoder().encode(query).map((byte) => fold[byte] ?? byte);
  const length = wanted.length;
  if (length === 0) return undefined;
  const last = wanted[length - 1] ?? 0;
  const skip = new Uint32Array(256).fill(length);
  for (let i = 0; i < length - 1; i += 1) skip[wanted[i] ?? 0] = length - 1 - i;
  // Upper case letters skip as their lower case does, so that the loop below folds only when the last byte fits.
  for (let code = 65; code <= 90; code += 1) skip[code] = skip[code + 32] ?? length;

  const same = (bytes: Uint8Array, at: number): boolean => {
    for (let i = 0; i < length - 1; i += 1) if (fold[bytes[at + i] ?? 0] !== wanted[i]) return false;
    return true;
  };
  return {
    query,
    find(bytes, from, to) {
      let end = from + length - 1;
      while (end < to) {
        const byte = bytes[end] ?? 0;
        if (fold[byte] === last && same(bytes, end - length + 1)) return end - length + 1;
        end += skip[byte] ?? length;
      }
      return -1;
    },
  };
}
