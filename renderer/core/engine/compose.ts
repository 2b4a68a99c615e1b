import type { Bridge } from "#bridge/bridge.ts";
import type { ComposeActOptions, ComposeCheck, ComposeMessage, ComposeProjectSource } from "#api/compose.ts";
import { jsonLines } from "./lines.ts";
import { openStream, request } from "./request.ts";

const windowBytes = 256 * 1024;

const bodyOf = ({ folder, files, project, home }: ComposeProjectSource) => ({ Folder: folder, Files: files, Project: project, Home: home });

/** Of this engine's own: docker compose beside it, on projects of folders that are shared with it. */
export const composeCalls = (bridge: Bridge) => ({
  /** With `text`, the last file is that instead of what is on the disk. */
  check: (source: ComposeProjectSource, text?: string) =>
    request<ComposeCheck>(bridge, "POST", "/slipway/compose/check", { ...bodyOf(source), ...(text === undefined ? {} : { Text: text, Typed: true }) }),
  act: (source: ComposeProjectSource, options: ComposeActOptions, signal: AbortSignal) => actIn(bridge, source, options, signal),
});

async function* actIn(bridge: Bridge, source: ComposeProjectSource, options: ComposeActOptions, signal: AbortSignal): AsyncGenerator<ComposeMessage, void> {
  const { verb, services, scale, build, removeOrphans, volumes, dryRun } = options;
  const act = { Verb: verb, Services: services, Scale: scale, Build: build, RemoveOrphans: removeOrphans, Volumes: volumes, DryRun: dryRun };
  const asked = { method: "POST", path: "/slipway/compose/act", body: { ...bodyOf(source), ...act } } as const;
  const stream = await openStream(bridge, { kind: "download", windowBytes, request: asked }, signal);
  try {
    yield* jsonLines<ComposeMessage>(stream.bytes);
  } finally {
    stream.close();
  }
}
