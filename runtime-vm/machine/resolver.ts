import { lookup, Resolver } from "node:dns/promises";
import { codeOf } from "#base/errors.ts";
import type { Resolution } from "#link/calls.ts";

/** getaddrinfo tells no lifetime: short enough that a VPN coming up is seen soon. */
const lookupTtlSeconds = 10;
const recordTtlSeconds = 60;

type Answer = Resolution["answers"][number];
const recordTypes = ["MX", "TXT", "SRV", "PTR", "CNAME", "NS", "SOA", "CAA", "NAPTR"] as const;

/**
 * Answers a guest's DNS question as this host would: addresses by the system's resolver (hosts file, VPN, split DNS,
 * mDNS), other records by its name servers.
 */
export async function resolveForGuest(name: string, type: string): Promise<Resolution> {
  const plain = name.replace(/\.$/, "");
  if (type === "A") return await addresses(plain, 4);
  if (type === "AAAA") return await addresses(plain, 6);
  const known = recordTypes.find((t) => t === type);
  if (!known) return { code: "NOTIMP", answers: [] };
  try {
    // A new one each time: a resolver knows the name servers of the moment it was made, and a VPN may have come up since.
    const found: unknown = await new Resolver().resolve(plain, known as "MX");
    const records: readonly unknown[] = Array.isArray(found) ? found : [found];
    return { code: "NOERROR", answers: records.map((record) => ({ name: plain, type, ttl: recordTtlSeconds, data: recordData(known, record) })) };
  } catch (error) {
    return failure(error);
  }
}

async function addresses(name: string, family: 4 | 6): Promise<Resolution> {
  try {
    return { code: "NOERROR", answers: await addressAnswers(name, family) };
  } catch (error) {
    if (codeOf(error) !== "ENOTFOUND") return failure(error);
    // The system does not tell "no such name" from "no address of this family": the other family does.
    const other = await addressAnswers(name, family === 4 ? 6 : 4).catch(() => []);
    return { code: other.length > 0 ? "NOERROR" : "NXDOMAIN", answers: [] };
  }
}

async function addressAnswers(name: string, family: 4 | 6): Promise<Answer[]> {
  const found = await lookup(name, { family, all: true });
  const unique = [...new Set(found.map((entry) => entry.address))];
  return unique.map((data) => ({ name, type: family === 4 ? "A" : "AAAA", ttl: lookupTtlSeconds, data }));
}

function failure(error: unknown): Resolution {
  switch (codeOf(error) ?? "") {
    case "ENODATA":
      return { code: "NOERROR", answers: [] };
    case "ENOTFOUND":
      return { code: "NXDOMAIN", answers: [] };
    default:
      return { code: "SERVFAIL", answers: [] };
  }
}

/** From Node's shape of a record to that of `dns-packet`. */
function recordData(type: (typeof recordTypes)[number], record: unknown): unknown {
  if (typeof record !== "object" || record === null || Array.isArray(record)) return record;
  const fields = record as Record<string, unknown>;
  switch (type) {
    case "MX":
      return { preference: fields["priority"], exchange: fields["exchange"] };
    case "SRV":
      return { priority: fields["priority"], weight: fields["weight"], port: fields["port"], target: fields["name"] };
    case "SOA": {
      const { nsname, hostmaster, serial, refresh, retry, expire, minttl } = fields;
      return { mname: nsname, rname: hostmaster, serial, refresh, retry, expire, minimum: minttl };
    }
    case "CAA": {
      const { critical, ...rest } = fields;
      const tag = Object.keys(rest).find((key) => key !== "type") ?? "issue";
      return { flags: critical, tag, value: rest[tag] };
    }
    case "NAPTR": {
      const { flags, service, regexp, replacement, order, preference } = fields;
      return { flags, services: service, regexp, replacement, order, preference };
    }
    case "TXT":
    case "PTR":
    case "CNAME":
    case "NS":
      return record;
  }
}
