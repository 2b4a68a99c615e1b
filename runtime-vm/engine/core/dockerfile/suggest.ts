const distanceMax = 2;

/** `unknown x (did you mean y?)`: the nearest of what is known, where one is near. */
export function withSuggestion(message: string, given: string, known: readonly string[]): string {
  const near = known.map((name) => ({ name, distance: distanceOf(given.toLowerCase(), name.toLowerCase()) })).filter(({ distance }) => distance <= distanceMax);
  const best = near.toSorted((a, b) => a.distance - b.distance)[0];
  return best === undefined ? message : `${message} (did you mean ${best.name}?)`;
}

/** Levenshtein's. */
function distanceOf(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
