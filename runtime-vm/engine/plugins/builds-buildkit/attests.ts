import { EngineError } from "#base/errors.ts";

/** Kinds of attestations, as BuildKit names them. */
export type AttestKind = "provenance" | "sbom";

/** `--attest type=KIND,...`, as the frontend is told (buildkit's frontend/attestations/parse.go); undefined where it is not asked for. */
export function attestOptions(attributes: ReadonlyMap<string, string>, kind: AttestKind): ReadonlyMap<string, string> | undefined {
  const text = attributes.get(`attest:${kind}`) ?? attributes.get(`build-arg:BUILDKIT_ATTEST_${kind.toUpperCase()}`);
  if (text === undefined || text === "false") return undefined;
  const fields = text.split(",").filter((field) => field !== "");
  const options = new Map(fields.map((field) => [field.split("=", 1)[0] ?? "", field.includes("=") ? field.slice(field.indexOf("=") + 1) : ""] as const));
  return options.get("disabled") === "true" ? undefined : options;
}

/** Refuses kinds that nobody knows. */
export function checkAttests(attributes: ReadonlyMap<string, string>): void {
  const kinds = [...attributes.keys()].flatMap((name) => /^(?:attest:|build-arg:BUILDKIT_ATTEST_)(.*)$/.exec(name)?.[1]?.toLowerCase() ?? []);
  const unknown = kinds.find((kind) => kind !== "provenance" && kind !== "sbom");
  if (unknown !== undefined) throw new EngineError("invalidArgument", `unknown attestation type ${JSON.stringify(unknown)}`);
}
