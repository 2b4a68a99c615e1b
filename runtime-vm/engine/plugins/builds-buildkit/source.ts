import type { BuildSource } from "#api/builds.ts";
import { messageOf } from "#base/errors.ts";
import { StepError } from "#core/builds/stage.ts";
import { DockerfileError } from "#core/dockerfile/errors.ts";
import { type Definition, DefinitionError } from "./frontend.ts";
import { type Detail, DetailedError } from "./status.ts";

const url = "github.com/moby/buildkit/errdefs.Source+json";
/** Of a Dockerfile kept with a failure; nobody reads longer ones. */
const keptCharsMax = 256 * 1024;

interface SourceDetail {
  readonly info: { readonly filename: string; readonly data: string; readonly language: "Dockerfile" };
  readonly ranges: readonly { readonly start: { readonly line: number }; readonly end: { readonly line: number } }[];
}

/** The sentence, and the lines of the Dockerfile that it is about. */
export function detailed(error: unknown, definition: Definition | undefined): unknown {
  if (error instanceof DefinitionError) {
    const lines = error.cause instanceof DockerfileError ? error.cause.lines : undefined;
    return new DetailedError(error.message, lines === undefined ? [] : [sourceDetail(error.definition, lines)], { cause: error });
  }
  if (!(error instanceof StepError) || definition === undefined) return error;
  const { lines } = error.instruction.node;
  return new DetailedError(messageOf(error), [sourceDetail(definition, lines)], { cause: error });
}

function sourceDetail({ filename, text }: Definition, { start, end }: { start: number; end: number }): Detail {
  const info = { filename, data: Buffer.from(text).toString("base64"), language: "Dockerfile" } as const;
  return { url, json: { info, ranges: [{ start: { line: start }, end: { line: end } }] } satisfies SourceDetail };
}

/** The same, as it is kept. */
export function sourceIn(detail: Detail): BuildSource | undefined {
  if (detail.url !== url) return undefined;
  const { info, ranges } = detail.json as SourceDetail;
  const [range] = ranges;
  const text = Buffer.from(info.data, "base64").toString("utf8");
  if (range === undefined || text.length > keptCharsMax) return undefined;
  return { filename: info.filename, text, start: range.start.line, end: range.end.line };
}
