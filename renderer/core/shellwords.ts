/**
 * Splits a command line into words as a shell would, without expanding anything: blanks separate, '…' keeps all,
 * "…" keeps all but \" and \\, a backslash outside quotes keeps the next character. `undefined`: a quote is not closed.
 */
export function splitCommand(line: string): string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  let quote = "";
  for (let i = 0; i < line.length; i += 1) {
    const char = line.charAt(i);
    if (quote !== "") {
      if (char === quote) quote = "";
      else if (quote === '"' && char === "\\" && /["\\]/.test(line.charAt(i + 1))) word = (word ?? "") + line.charAt((i += 1));
      else word = (word ?? "") + char;
    } else if (char === "'" || char === '"') {
      quote = char;
      word ??= "";
    } else if (char === "\\" && i + 1 < line.length) {
      word = (word ?? "") + line.charAt((i += 1));
    } else if (/\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? "") + char;
  }
  if (quote !== "") return undefined;
  return word === undefined ? words : [...words, word];
}
