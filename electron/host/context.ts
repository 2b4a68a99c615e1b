import { createHash } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import * as v from "valibot";
import { EngineError } from "#base/errors.ts";
import { KeyedLock } from "#base/lock.ts";
import type { ContextStatus } from "#bridge/bridge.ts";
import { dialPath } from "./dial.ts";
import { readJsonObject, writeAtomically } from "./files.ts";

export const contextName = "slipway";

/** What we remember about the CLI's default: whether we may be it, and what was it before (absent: the CLI's own `default`). */
const stateSchema = v.object({ consented: v.boolean(), former: v.optional(v.string()) });
type State = v.InferOutput<typeof stateSchema>;

/**
 * The docker context `slipway` in the CLI's own files (`contexts/meta/<sha256 of the name>/meta.json`, `config.json`).
 * It is made without asking, since it changes nothing for anybody; the CLI's default is touched only after consent,
 * and given back when we leave, unless somebody else has changed it meanwhile.
 */
export class DockerContext {
  readonly #directory: string;
  readonly #statePath: string;
  readonly #endpoint: string;
  readonly #hiddenBy: string | undefined;
  readonly #lock = new KeyedLock();

  constructor(opts: {
    /** The CLI's configuration folder: `DOCKER_CONFIG`, or `~/.docker`. */
    readonly directory: string;
    readonly statePath: string;
    readonly endpoint: string;
    /** The environment variable that makes the CLI ignore contexts, when one is set. */
    readonly hiddenBy?: string | undefined;
  }) {
    this.#directory = opts.directory;
    this.#statePath = opts.statePath;
    this.#endpoint = opts.endpoint;
    this.#hiddenBy = opts.hiddenBy;
  }

  get #metaPath(): string {
    return join(this.#directory, "contexts", "meta", createHash("sha256").update(contextName).digest("hex"), "meta.json");
  }
  get #configPath(): string {
    return join(this.#directory, "config.json");
  }

  /**
   * Makes the context, or points it at our socket. One that leads to another Slipway that is running is left to it.
   * Becomes the default again when that was agreed to earlier and the former default is still in place.
   */
  async ensure(): Promise<void> {
    using _held = await this.#lock.acquire("files");
    const recorded = endpointIn(await readJsonObject(this.#metaPath).catch(() => undefined));
    if (recorded !== this.#endpoint && !(await servedElsewhere(recorded))) {
      const meta = { Name: contextName, Metadata: { Description: "Slipway" }, Endpoints: { docker: { Host: this.#endpoint, SkipTLSVerify: false } } };
      await mkdir(this.#directory, { recursive: true, mode: 0o700 });
      await writeAtomically(this.#metaPath, JSON.stringify(meta), 0o644);
    }
    const state = await this.#state();
    if (state.consented && (await this.#current()) === state.former) await this.#setCurrent(contextName);
  }

  async status(): Promise<ContextStatus> {
    const created = endpointIn(await readJsonObject(this.#metaPath).catch(() => undefined)) === this.#endpoint;
    const current = (await this.#current().catch(() => undefined)) ?? "default";
    return { created, current, ...(this.#hiddenBy === undefined ? {} : { hiddenBy: this.#hiddenBy }) };
  }

  /** After the user's consent: makes `slipway` the CLI's default, or gives the former one back. */
  async use(on: boolean): Promise<ContextStatus> {
    using _held = await this.#lock.acquire("files");
    const current = await this.#current();
    if (on) {
      if (endpointIn(await readJsonObject(this.#metaPath)) === undefined)
        throw new EngineError("notFound", `the docker context ${contextName} is gone: restart Slipway to make it again`);
      if (current !== contextName) await this.#setState({ consented: true, ...(current === undefined ? {} : { former: current }) });
      await this.#setCurrent(contextName);
    } else {
      const { former } = await this.#state();
      if (current === contextName) await this.#setCurrent(former);
      await this.#setState({ consented: false });
    }
    return await this.status();
  }

  /** At quitting: the CLI must not be left with a default that nobody serves. */
  async release(): Promise<void> {
    using _held = await this.#lock.acquire("files");
    const { consented, former } = await this.#state();
    if (consented && (await this.#current()) === contextName) await this.#setCurrent(former);
  }

  async #current(): Promise<string | undefined> {
    const current = (await readJsonObject(this.#configPath))?.["currentContext"];
    return typeof current === "string" && current !== "" && current !== "default" ? current : undefined;
  }

  async #setCurrent(name: string | undefined): Promise<void> {
    const { currentContext: _, ...rest } = (await readJsonObject(this.#configPath)) ?? {};
    const config = name === undefined ? rest : { ...rest, currentContext: name };
    await writeAtomically(this.#configPath, `${JSON.stringify(config, undefined, "\t")}\n`, 0o600);
  }

  async #state(): Promise<State> {
    const found = v.safeParse(stateSchema, await readJsonObject(this.#statePath).catch(() => undefined));
    return found.success ? found.output : { consented: false };
  }

  async #setState(state: State): Promise<void> {
    await writeAtomically(this.#statePath, `${JSON.stringify(state)}\n`);
  }
}

const metaSchema = v.object({ Endpoints: v.object({ docker: v.object({ Host: v.string() }) }) });

function endpointIn(meta: unknown): string | undefined {
  const found = v.safeParse(metaSchema, meta);
  return found.success ? found.output.Endpoints.docker.Host : undefined;
}

/** Whether somebody accepts connections at the endpoint a context names. */
async function servedElsewhere(endpoint: string | undefined): Promise<boolean> {
  const path = /^(?:unix|npipe):\/\/(.+)$/.exec(endpoint ?? "")?.[1];
  if (path === undefined) return false;
  return await dialPath(path).then(
    (probe) => (probe.destroy(), true),
    () => false,
  );
}
