import { request } from "node:http";
import { EngineClient } from "#client/client.ts";
import { busybox, dockerArchive } from "../fixtures/image.ts";
import { empty } from "./happenings.ts";

/** Versions at which answers are compared: the oldest and the newest served, and those that clients in use speak. */
export const versions = ["1.24", "1.41", "1.44", "1.47", "1.51"] as const;

/** Everything that can be listed or inspected; needs what `prepareShapes` makes. */
export const requests = [
  "/version",
  "/info",
  "/containers/json?all=1&size=1",
  "/containers/web/json?size=1",
  "/containers/web/top",
  "/containers/web/stats?stream=0",
  "/images/json",
  "/images/json?manifests=1&shared-size=1",
  "/images/busybox/json",
  "/images/busybox/json?manifests=1",
  "/images/busybox/history",
  "/networks",
  "/networks/bridge",
  "/networks/net",
  "/volumes",
  "/volumes/vol",
  "/system/df",
  "/system/df?type=container",
  "/system/df?type=nobody",
  "/plugins",
  "/plugins/nobody/json",
  "/swarm",
  "/services",
  "/nodes",
  "/tasks",
  "/secrets",
  "/configs",
  "/containers/web/checkpoints",
  "/nothing/here",
] as const;

/** `PATH TYPE` of every value in an answer, sorted; and its status. */
type Shape = readonly string[];

/** The newest version's shape, and what older ones have besides or lack. */
export interface Recorded {
  readonly newest: Shape;
  readonly older: Readonly<Record<string, { readonly more: Shape; readonly fewer: Shape }>>;
}

/** A busybox container that runs, with a volume; a network; nothing else. */
export async function prepareShapes(socket: string): Promise<void> {
  const client = new EngineClient({ kind: "socket", path: socket });
  await empty(socket);
  const archive = await dockerArchive([await busybox("busybox:latest")]);
  const whole = async function* (): AsyncGenerator<Uint8Array> {
    yield archive;
    await Promise.resolve();
  };
  await (await client.stream("POST", "/images/load", { query: { quiet: 1 }, body: whole() })).body.toArray();
  await client.json("POST", "/networks/create", { json: { Name: "net", Labels: { a: "b" } } });
  await client.json("POST", "/volumes/create", { json: { Name: "vol", Labels: { a: "b" } } });
  const body = { Image: "busybox", Cmd: ["sleep", "1000"], Labels: { a: "b" }, ExposedPorts: { "80/tcp": {} }, HostConfig: { Binds: ["vol:/data"] } };
  await client.json("POST", "/containers/create", { query: { name: "web" }, json: body });
  await client.call("POST", "/containers/web/start");
}

/** Asks everything at every version. */
export async function shapes(socket: string): Promise<Record<string, Recorded>> {
  const all: Record<string, Recorded> = {};
  for (const path of requests) {
    const byVersion = new Map<string, Shape>();
    for (const version of versions) byVersion.set(version, await shapeAt(socket, version, path));
    const newest = byVersion.get(versions.at(-1) ?? "") ?? [];
    const older = [...byVersion].slice(0, -1).map(([version, shape]) => [version, { more: without(shape, newest), fewer: without(newest, shape) }] as const);
    all[path] = { newest, older: Object.fromEntries(older.filter(([, { more, fewer }]) => more.length + fewer.length > 0)) };
  }
  return all;
}

const without = (one: Shape, other: Shape): Shape => one.filter((line) => !other.includes(line));

async function shapeAt(socket: string, version: string, path: string): Promise<Shape> {
  const { status, text } = await asked(socket, `/v${version}${path}`);
  const lines = new Set<string>([`status ${status}`]);
  const value: unknown = JSON.parse(text);
  if (status >= 400) lines.add(`message ${(value as { message: string }).message}`);
  else walk(value, "", lines);
  return [...lines].sort();
}

function asked(socketPath: string, path: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, path }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("end", () => resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(chunks).toString() }));
      answer.on("error", reject);
    });
    sent.on("error", reject);
    sent.end();
  });
}

/** Objects whose keys are names of things, not of fields. */
const maps = /\.(Labels|Networks|IndexConfigs|Runtimes|Containers|Options|Volumes|ExposedPorts|PortBindings|annotations|networks|status|stats)$/;

function walk(value: unknown, path: string, lines: Set<string>): void {
  if (Array.isArray(value)) {
    lines.add(`${path} []`);
    for (const item of value) walk(item, `${path}[]`, lines);
  } else if (typeof value === "object" && value !== null) {
    lines.add(`${path} {}`);
    for (const [key, item] of Object.entries(value)) walk(item, `${path}.${maps.test(path) ? "*" : key}`, lines);
  } else lines.add(`${path} ${value === null ? "null" : typeof value}`);
}
