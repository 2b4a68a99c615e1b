import { createReadStream, existsSync } from "node:fs";
import type { Journal } from "../journal/journal.ts";
import type { State } from "../state/state.ts";
import { hasHappened, nowHappened } from "../system/facts.ts";
import type { ImageStore } from "./images.ts";

/** Loaded once in the life of a root directory, when there is nothing to run yet; who deletes it has deleted it. */
export async function loadStarterImage(archive: string, { images, state, journal }: { images: ImageStore; state: State; journal: Journal }): Promise<void> {
  if (!existsSync(archive) || hasHappened(state, "starter image")) return;
  try {
    const some = await images.list({ filters: {}, manifests: false, sharedSize: false, users: () => [] });
    if (some.length === 0) for await (const _line of images.load(createReadStream(archive), { signal: AbortSignal.timeout(120_000) }));
    nowHappened(state, "starter image");
  } catch (error) {
    journal.warn("the starter image could not be loaded; it is tried again at the next start", error);
  }
}
