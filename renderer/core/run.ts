import { isClass } from "#base/errors.ts";
import type { App } from "./app.ts";
import { keys } from "./keys.ts";
import { createRequest, type RunForm } from "./runform.ts";

export type RunStep = { readonly kind: "pulling"; readonly transfer: number } | { readonly kind: "creating" } | { readonly kind: "starting" };

/**
 * What `docker run -d` does: create, pull when the image is not here, start. A container that cannot be started is
 * removed again, so that the form can be corrected and sent once more under the same name.
 */
export async function runContainer(app: Pick<App, "engine" | "transfers" | "queries">, form: RunForm, step: (step: RunStep) => void): Promise<string> {
  const { containers } = app.engine;
  const id = await createPulling(app, form, step);
  step({ kind: "starting" });
  try {
    await containers.start(id);
  } catch (error) {
    await containers.remove(id, true).catch(() => undefined); // the start's failure is what is told
    throw error;
  } finally {
    await app.queries.invalidateQueries({ queryKey: keys.containers });
  }
  return id;
}

async function createPulling(app: Pick<App, "engine" | "transfers">, form: RunForm, step: (step: RunStep) => void): Promise<string> {
  const create = async (): Promise<string> => {
    step({ kind: "creating" });
    return (await app.engine.containers.create(form.name.trim(), createRequest(form))).Id;
  };
  try {
    return await create();
  } catch (error) {
    if (!isClass(error, "notFound") || (await hasImage(app, form.image.trim()))) throw error;
    const pull = app.transfers.pull(form.image.trim());
    step({ kind: "pulling", transfer: pull.id });
    await pull.done;
    return await create();
  }
}

/** "Not found" may also speak of a network or a volume driver: only a missing image is pulled. */
async function hasImage({ engine }: Pick<App, "engine">, image: string): Promise<boolean> {
  try {
    await engine.images.inspect(image);
    return true;
  } catch (error) {
    if (isClass(error, "notFound")) return false;
    throw error;
  }
}
