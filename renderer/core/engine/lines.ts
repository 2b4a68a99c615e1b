/** Complete JSON values of a stream of lines (events, pull progress, stats). A line that is no JSON is skipped. */
export async function* jsonLines<T>(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<T> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of bytes) {
    rest += decoder.decode(chunk, { stream: true });
    const lines = rest.split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) yield* parseLine<T>(line);
  }
  yield* parseLine<T>(rest);
}

function* parseLine<T>(line: string): Generator<T> {
  if (line.trim() === "") return;
  let value: T;
  try {
    value = JSON.parse(line) as T;
  } catch {
    return;
  }
  yield value;
}
