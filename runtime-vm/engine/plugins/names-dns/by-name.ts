import type { Answer } from "dns-packet";
import { isClass } from "#base/errors.ts";
import { bytesMaxOf, decodeQuery, encodeAnswer, type Rcode } from "./answer.ts";
import type { Resolver } from "./forward.ts";

/** Answers by name and type, as a host's own resolver does; `data` has the shape that dns-packet gives the type. */
export type AskByName = (
  name: string,
  type: string,
  opts: { signal: AbortSignal },
) => Promise<{
  readonly code: string;
  readonly answers: readonly { readonly name: string; readonly type: string; readonly ttl: number; readonly data: unknown }[];
}>;

/** A resolver out of one that knows names only. What it does not implement, and everything while it is away, is asked of `otherwise`. */
export const byNameResolver =
  (ask: AskByName, otherwise: Resolver): Resolver =>
  async (message, transport, signal) => {
    const query = decodeQuery(message);
    const question = query?.questions?.[0];
    if (query === undefined || question === undefined) return await otherwise(message, transport, signal);
    try {
      const { code, answers } = await ask(question.name, question.type, { signal });
      if (isRcode(code)) return encodeAnswer(query, answers as Answer[], bytesMaxOf(query, transport), code);
    } catch (error) {
      if (!isClass(error, "unavailable")) throw error;
    }
    return await otherwise(message, transport, signal);
  };

const isRcode = (code: string): code is Rcode => ["NOERROR", "NXDOMAIN", "SERVFAIL"].includes(code);
