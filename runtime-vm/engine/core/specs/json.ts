/** RLIM_INFINITY as JavaScript can hold it: the nearest number above it. */
export const rlimitInfinity = 2 ** 64;

/** config.json's text. `rlimitInfinity` would overflow the runtime's 64 bits and is written as the kernel's own number. */
export const specJson = (value: unknown): string => JSON.stringify(value).replaceAll("18446744073709552000", "18446744073709551615");
