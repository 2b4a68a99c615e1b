import type { LinkedPair } from "./driver.ts";
import { parsePort } from "./ports.ts";
import type { Live } from "./services.ts";

/** Who may talk to whom on the default bridge where containers are kept apart. */
export function linkedPairs(sandboxes: ReadonlyMap<string, Live>): LinkedPair[] {
  const on = (live: Live | undefined): string | undefined => live?.record.endpoints.find(({ networkName }) => networkName === "bridge")?.ipv4?.address;
  return [...sandboxes.values()].flatMap((live) =>
    (live.request.links ?? []).flatMap((id): LinkedPair[] => {
      const other = sandboxes.get(id);
      const [from, to] = [on(live), on(other)];
      return other === undefined || from === undefined || to === undefined ? [] : [{ from, to, ports: other.request.exposed.map(parsePort) }];
    }),
  );
}
