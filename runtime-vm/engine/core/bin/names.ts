/** The name a thing comes back under: its own, or with a number behind where that is taken, which a warning tells. */
export function nameAgain(wanted: string, isFree: (name: string) => boolean): { name: string; warnings: string[] } {
  if (isFree(wanted)) return { name: wanted, warnings: [] };
  for (let count = 2; ; count++) {
    const name = `${wanted}-${count}`;
    if (isFree(name)) return { name, warnings: [`the name ${wanted} is taken by now: it is called ${name}`] };
  }
}
