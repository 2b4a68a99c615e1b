import { once } from "node:events";
import type { EventMessage } from "#api/events.ts";
import { EngineClient } from "#client/client.ts";

/** One event without what differs from run to run: ids are called by their first appearance, times and durations left out. */
export interface Happening {
  readonly what: string;
  readonly id: string;
  readonly attributes: Readonly<Record<string, string>>;
}

interface Scene {
  readonly client: EngineClient;
  readonly archive: Buffer;
}

type Act = (scene: Scene) => Promise<unknown>;
/** An act that needs no image. */
type PlainAct = (scene: Pick<Scene, "client">) => Promise<unknown>;

const post =
  (path: string, json?: unknown, query: Record<string, string | number> = {}): PlainAct =>
  ({ client }) =>
    read(client, "POST", path, { query, ...(json === undefined ? {} : { json }) });
const del =
  (path: string, query: Record<string, string | number> = {}): PlainAct =>
  ({ client }) =>
    read(client, "DELETE", path, { query });
const get =
  (path: string, query: Record<string, string | number> = {}): PlainAct =>
  ({ client }) =>
    read(client, "GET", path, { query });

/** Reads an answer to its end; returns it when it is JSON. */
async function read(client: EngineClient, ...args: Parameters<EngineClient["stream"]>): Promise<unknown> {
  const { body } = await client.stream(...args);
  const text = Buffer.concat(await body.toArray()).toString();
  return text.startsWith("{") && !text.trimEnd().includes("\n") ? JSON.parse(text) : text;
}

const wait = (name: string, condition = "not-running"): Act => post(`/containers/${name}/wait`, undefined, { condition });

const exec =
  (name: string, Cmd: string[]): Act =>
  async ({ client }) => {
    const { Id } = (await read(client, "POST", `/containers/${name}/exec`, { json: { Cmd, AttachStdout: true } })) as { Id: string };
    const { stream } = await client.hijack(`/exec/${Id}/start`, { json: {} });
    stream.resume();
    stream.end();
    await once(stream, "close");
  };

const load: Act = ({ client, archive }) => {
  const whole = async function* (): AsyncGenerator<Uint8Array> {
    yield archive;
    await Promise.resolve();
  };
  return read(client, "POST", "/images/load", { query: { quiet: 1 }, body: whole() });
};

const script = (text: string): { Cmd: string[] } => ({ Cmd: ["sh", "-c", text] });
const labels = { Labels: { tier: "test", "com.example.long": "a b" } };

/** What clients do all day, each act with a name. Every act is over when its promise resolves; events may come a little later. */
export const acts: readonly (readonly [name: string, act: Act])[] = [
  ["load an image", load],
  ["tag it", post("/images/busybox/tag", undefined, { repo: "other", tag: "1" })],
  ["make a volume", post("/volumes/create", { Name: "vol" })],
  ["make a network", post("/networks/create", { Name: "net", Labels: { a: "b" } })],
  [
    "create a container",
    post(
      "/containers/create",
      { Image: "busybox", ...script("trap 'exit 7' TERM; while :; do sleep 0.05; done"), ...labels, HostConfig: { Binds: ["vol:/data"] } },
      { name: "one" },
    ),
  ],
  ["rename it", post("/containers/one/rename", undefined, { name: "uno" })],
  ["start it", post("/containers/uno/start")],
  ["run a command in it", exec("uno", ["true"])],
  ["run a command in it that fails", exec("uno", ["sh", "-c", "exit 4"])],
  ["list its processes", get("/containers/uno/top")],
  [
    "attach to it and go",
    async ({ client }) => {
      const { stream } = await client.hijack("/containers/uno/attach", { query: { stream: 1, stdout: 1 } });
      stream.destroy();
      await once(stream, "close");
    },
  ],
  ["pause it", post("/containers/uno/pause")],
  ["unpause it", post("/containers/uno/unpause")],
  ["update it", post("/containers/uno/update", { RestartPolicy: { Name: "on-failure", MaximumRetryCount: 2 } })],
  ["connect it to the network", post("/networks/net/connect", { Container: "uno" })],
  ["disconnect it", post("/networks/net/disconnect", { Container: "uno" })],
  ["send it a signal", post("/containers/uno/kill", undefined, { signal: "HUP" })],
  ["restart it", post("/containers/uno/restart", undefined, { t: 3 })],
  ["stop it", post("/containers/uno/stop", undefined, { t: 3 })],
  ["commit it", post("/commit", {}, { container: "uno", repo: "made", tag: "1" })],
  ["export it", get("/containers/uno/export")],
  ["copy from it", get("/containers/uno/archive", { path: "/bin/sh" })],
  ["remove it", del("/containers/uno")],
  ["create one that ends by itself", post("/containers/create", { Image: "busybox", ...script("exit 3") }, { name: "two" })],
  [
    "start it and wait",
    async (scene) => {
      const ended = wait("two", "next-exit")(scene);
      await post("/containers/two/start")(scene);
      await ended;
    },
  ],
  ["remove that", del("/containers/two")],
  [
    "create one that is removed when it ends",
    post("/containers/create", { Image: "busybox", ...script("exit 0"), HostConfig: { AutoRemove: true, NetworkMode: "net" } }, { name: "three" }),
  ],
  [
    "start it and wait until it is gone",
    async (scene) => {
      const gone = wait("three", "removed")(scene);
      await post("/containers/three/start")(scene);
      await gone;
    },
  ],
  ["create one with a terminal", post("/containers/create", { Image: "busybox", Cmd: ["cat"], Tty: true, OpenStdin: true }, { name: "tty" })],
  ["start the one with a terminal", post("/containers/tty/start")],
  ["resize its terminal", post("/containers/tty/resize", undefined, { h: 30, w: 100 })],
  [
    "attach to its terminal and detach by keys",
    async ({ client }) => {
      const { stream } = await client.hijack("/containers/tty/attach", { query: { stream: 1, stdin: 1, stdout: 1 } });
      stream.resume();
      stream.once("end", () => stream.end());
      stream.write("\u0010\u0011");
      await once(stream, "close");
    },
  ],
  ["remove it by force", del("/containers/tty", { force: 1 })],
  ["create one with an anonymous volume and a health check", post("/containers/create", healthy(), { name: "four" })],
  [
    "start that and wait until it is healthy",
    async (scene) => {
      await post("/containers/four/start")(scene);
      for (let status = ""; status !== "healthy"; ) {
        const { State } = (await get("/containers/four/json")(scene)) as { State: { Health: { Status: string } } };
        status = State.Health.Status;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    },
  ],
  ["kill it", post("/containers/four/kill")],
  ["wait for its end", wait("four")],
  ["remove it with its volume", del("/containers/four", { v: 1 })],
  ["create one whose command is not there", post("/containers/create", { Image: "busybox", Cmd: ["/no/such"] }, { name: "five" })],
  ["fail to start it", (scene) => post("/containers/five/start")(scene).catch(() => undefined)],
  ["prune containers", post("/containers/prune")],
  ["save an image", get("/images/busybox/get")],
  ["untag it", del("/images/other:1")],
  ["delete what was committed", del("/images/made:1")],
  ["remove the volume", del("/volumes/vol")],
  ["remove the network", del("/networks/net")],
  ["prune networks", post("/networks/prune")],
  ["prune volumes", post("/volumes/prune")],
  ["prune images", post("/images/prune")],
  ["delete the image", del("/images/busybox")],
];

function healthy(): unknown {
  const second = 1_000_000_000;
  const Healthcheck = { Test: ["CMD", "true"], Interval: 3600 * second, StartPeriod: 10 * second, StartInterval: second / 2 };
  return { Image: "busybox", Cmd: ["sleep", "1000"], Volumes: { "/anonymous": {} }, Healthcheck };
}

/**
 * Performs all acts one after another and returns what the engine told of each. Events come after the answer: as many as `expected`
 * says of an act are waited for, and then until none has come for a while.
 */
export async function happenings(socket: string, archive: Buffer, expected: (act: string) => number = () => 0): Promise<Record<string, Happening[]>> {
  const client = new EngineClient({ kind: "socket", path: socket });
  const stop = new AbortController();
  const { body } = await client.stream("GET", "/events", { signal: stop.signal });
  const seen: EventMessage[] = [];
  let rest = "";
  body.on("data", (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) seen.push(JSON.parse(line) as EventMessage);
  });
  body.on("error", () => {});
  const told: [string, EventMessage[]][] = [];
  for (const [name, act] of acts) {
    await act({ client, archive });
    await quiet(seen, expected(name));
    told.push([name, seen.splice(0)]);
  }
  stop.abort();
  const names = new Names();
  return Object.fromEntries(told.map(([name, events]) => [name, events.map((event) => names.of(event))]));
}

/** Removes everything, so that the acts find nothing. */
export async function empty(socket: string): Promise<void> {
  const client = new EngineClient({ kind: "socket", path: socket });
  for (const { Id } of await client.json<{ Id: string }[]>("GET", "/containers/json", { query: { all: 1 } }))
    await del(`/containers/${Id}`, { force: 1 })({ client });
  for (const { Id } of await client.json<{ Id: string }[]>("GET", "/images/json")) await del(`/images/${Id}`, { force: 1 })({ client });
  const own = (await client.json<{ Name: string }[]>("GET", "/networks")).filter(({ Name }) => !["bridge", "host", "none"].includes(Name));
  for (const { Name } of own) await del(`/networks/${Name}`)({ client });
  for (const { Name } of (await client.json<{ Volumes: { Name: string }[] }>("GET", "/volumes")).Volumes) await del(`/volumes/${Name}`)({ client });
}

/** Turns of `quietMs` that missing events are waited for. */
const turnsMax = 50;
const quietMs = 200;

async function quiet(seen: readonly unknown[], expected: number): Promise<void> {
  for (let before = -1, turns = 0; before !== seen.length || (seen.length < expected && turns < turnsMax); turns += 1) {
    before = seen.length;
    await new Promise((resolve) => setTimeout(resolve, quietMs));
  }
}

/** Calls every id, random name and digest by a number in order of appearance. */
class Names {
  readonly #known = new Map<string, string>();

  of({ Type, Action, Actor, scope, status, id, from }: EventMessage): Happening {
    const changing = new Set(["execDuration", "reclaimed"]);
    const attributes = Object.entries(Actor.Attributes).map(([key, value]) => [key, changing.has(key) ? "<some>" : this.#plain(value)] as const);
    const legacy = [status === undefined ? "" : "status", id === undefined ? "" : "id", from === undefined ? "" : "from"].filter((field) => field !== "");
    return { what: [`${Type} ${this.#plain(Action)}`, scope, ...legacy].join(", "), id: this.#plain(Actor.ID), attributes: Object.fromEntries(attributes) };
  }

  #plain(text: string): string {
    return text.replace(/(sha256:)?[0-9a-f]{64}/g, (found) => {
      if (!this.#known.has(found)) this.#known.set(found, `<${this.#known.size + 1}>`);
      return this.#known.get(found) ?? found;
    });
  }
}
