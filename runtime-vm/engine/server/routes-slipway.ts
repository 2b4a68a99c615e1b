import { EngineError } from "#base/errors.ts";
import type { JournalReader } from "#core/journal/journal.ts";
import type { Query } from "./query.ts";
import { type Route, route } from "./router.ts";

/** What this engine answers beyond Docker's API. */
export const slipwayRoutes = (journal: JournalReader): readonly Route[] => [
  route("GET", "/slipway/log", ({ query, signal }) => {
    const tail = tailOf(query);
    return {
      status: 200,
      headers: { "Content-Type": "text/plain; charset=utf-8" },
      stream: journal.lines({ follow: query.bool("follow"), signal, ...(tail === undefined ? {} : { tail }) }),
    };
  }),
];

/** `tail=all` and none mean everything that is kept. */
function tailOf(query: Query): number | undefined {
  const text = query.get("tail");
  if (text === "" || text === "all") return undefined;
  if (!/^\d{1,9}$/.test(text)) throw new EngineError("invalidArgument", `tail must be "all" or a number of lines, got ${JSON.stringify(text)}`);
  return Number(text);
}
