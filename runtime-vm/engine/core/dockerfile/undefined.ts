/** Names of variables in a word that are not among the known ones; those with a default are nobody's mistake. */
export function undefinedIn(word: string, known: ReadonlySet<string>, escape: string): string[] {
  const found: string[] = [];
  let single = false;
  let double = false;
  for (let at = 0; at < word.length; at += 1) {
    const char = word[at] ?? "";
    if (char === escape && !single) at += 1;
    else if (char === '"' && !single) double = !double;
    else if (char === "'" && !double) single = !single;
    else if (char === "$" && !single) {
      const [, plain, braced, modifier] = /^\$(?:([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)(.?))/.exec(word.slice(at)) ?? [];
      const name = plain ?? braced ?? "";
      if (name !== "" && (plain !== undefined || modifier === "}") && !known.has(name)) found.push(name);
    }
  }
  return found;
}
