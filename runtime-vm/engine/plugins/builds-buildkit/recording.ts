import { createHash } from "node:crypto";
import { EngineError, messageOf } from "#base/errors.ts";
import type { Descriptor, Digest } from "#core/content/content.ts";
import { formatPlatform } from "#core/images/platform.ts";
import type { Export } from "./exporter.ts";
import type { BuildHistory, BuildRecord } from "./history.ts";
import type { Job } from "./job.ts";
import { sourceIn } from "./source.ts";
import { codeOf, DetailedError, statusOf } from "./status.ts";

/** Writes a build down while it goes on. */
export interface Recording {
  succeeded(told: Readonly<Record<string, string>>, images: ReturnType<Job["images"]>): void;
  failed(error: unknown): void;
}

export function beginRecord(history: BuildHistory, job: Job, wanted: readonly Export[]): Recording {
  const { ref, attributes } = job.parts;
  const started: BuildRecord = {
    ref,
    attributes: Object.fromEntries(attributes),
    exporters: wanted.map((one) => ({ type: one.type, attributes: Object.fromEntries(one.attributes) })),
    created: job.started.toISOString(),
    told: {},
    results: {},
    documents: {},
    steps: job.progress.steps,
    pinned: false,
  };
  history.begin(started);
  const end = (more: Partial<BuildRecord>): void =>
    history.end({ ...started, ...more, completed: new Date().toISOString(), steps: job.progress.steps }, job.progress.recorded);
  return {
    succeeded: (told, images) => end({ told, ...resultsOf(images) }),
    failed: (error) => end(failureOf(error)),
  };
}

export function failureOf(error: unknown): Pick<BuildRecord, "error" | "failure" | "source"> {
  const source = error instanceof DetailedError ? error.details.map(sourceIn).find((one) => one !== undefined) : undefined;
  const code = error instanceof EngineError ? codeOf[error.class] : 2;
  const status = statusOf(error);
  // The misspelling is the stock clients'.
  const descriptor = { mediaType: "application/vnd.googeapis.google.rpc.status+proto", digest: digestOf(status), size: status.length };
  const failure = { descriptor, status: status.toString("base64") };
  return { error: { code, message: messageOf(error) }, failure, ...(source === undefined ? {} : { source }) };
}

const digestOf = (bytes: Buffer | string): Digest => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

function resultsOf(images: ReturnType<Job["images"]>): Pick<BuildRecord, "results" | "documents"> {
  const documents: Record<string, string> = {};
  const results: Record<string, BuildRecord["results"][string]> = {};
  for (const { platform, image, statements } of images) {
    const attestations = statements.map(({ predicateType, predicate }): Descriptor => {
      const text = JSON.stringify(predicate);
      const digest = digestOf(text);
      documents[digest] = text;
      const annotations = { "in-toto.io/predicate-type": predicateType };
      return { mediaType: "application/vnd.in-toto+json", digest, size: Buffer.byteLength(text), annotations };
    });
    results[images.length === 1 ? "" : formatPlatform(platform)] = { ...(image === undefined ? {} : { image }), attestations };
  }
  return { results, documents };
}
