/** Resolves to the folder of the built window, building it when it is missing or older than its sources. */
export function buildRenderer(opts?: { readonly log?: (line: string) => void; readonly signal?: AbortSignal }): Promise<string>;
