/** What a catalogue of another language must have to stand in for an English one: the same keys, and functions of the same arguments. */
export type Translated<T> = T extends string
  ? string
  : T extends (...args: infer A) => string
    ? (...args: A) => string
    : { readonly [K in keyof T]: Translated<T[K]> };
