import { afterAll, beforeAll, expect, test } from "vitest";
import type { LogHit, LogSearchEnd, LogSearchLine } from "#api/log-search.ts";
import type { EngineClient } from "#client/client.ts";
import { type Rig, create, openRig, remove, run, sh, wait } from "./rig.ts";

let rig: Rig;
let client: EngineClient;
beforeAll(async () => {
  rig = await openRig("ls");
  client = rig.client;
});
afterAll(async () => {
  await rig?.[Symbol.asyncDispose]();
});

type Query = Record<string, string | number>;

async function search(query: Query): Promise<LogSearchLine[]> {
  const { body } = await client.stream("GET", "/slipway/logs/search", { query });
  let text = "";
  for await (const chunk of body as AsyncIterable<Buffer>) text += chunk.toString();
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as LogSearchLine);
}

const hits = async (query: Query): Promise<LogHit[]> => (await search(query)).filter((line) => "Text" in line);
const end = (lines: readonly LogSearchLine[]): LogSearchEnd | undefined => lines.flatMap((line) => ("End" in line ? [line.End] : []))[0];

test("output of a container is found while it is there, and after docker rm", async () => {
  const id = await run(client, { name: "kept", ...sh('echo first; echo \'{"level":"error","code":42}\' >&2') });
  await wait(client, id);
  const [before] = await hits({ field: "code=42" });
  expect(before).toMatchObject({ Id: id, Name: "kept", Stream: "stderr", Level: "error" });
  expect(before).not.toHaveProperty("Removed");
  await remove(client, id);
  expect(await hits({ field: "code=42" })).toEqual([{ ...before, Removed: true }]);
});

test("a container that removes itself is remembered, with its start and its end", async () => {
  const id = await create(client, { name: "fleeting", ...sh("echo fleeting words; exit 3"), HostConfig: { AutoRemove: true } });
  const gone = wait(client, id, "removed");
  await client.call("POST", `/containers/${id}/start`);
  await gone;
  const found = await search({ container: "fleeting", regex: "^fleeting w" });
  expect(found.map((line) => ("Event" in line ? line.Event : "Text" in line ? line.Text : ""))).toContain("fleeting words");
  expect(end(found)).toMatchObject({ Hits: 1, Containers: 1 });
});

test("restarts are marked between the lines", async () => {
  const id = await run(client, { name: "again", ...sh("echo boot; sleep 0.2; exit 2") });
  await wait(client, id);
  await client.call("POST", `/containers/${id}/start`);
  await wait(client, id);
  await remove(client, id);
  const told = (await search({ container: id.slice(0, 12), text: "boot", oldestFirst: 1 })).map((line) =>
    "Event" in line ? `${line.Event} ${line.ExitCode ?? ""}`.trim() : "Text" in line ? line.Text : "end",
  );
  // Whether a line or the news of the start is stamped first is the machine's affair.
  expect(told.filter((word) => word !== "start")).toEqual(["boot", "die 2", "boot", "end"]);
});

test("a container that asks for it leaves nothing", async () => {
  const id = await run(client, { name: "private", ...sh("echo secret words"), Labels: { "slipway.logs.keep": "false" } });
  await wait(client, id);
  expect(await hits({ text: "secret words" })).toHaveLength(1);
  await remove(client, id);
  expect(await hits({ text: "secret words" })).toEqual([]);
});

test("what cannot be searched for is refused in words", async () => {
  const refused = async (query: Query): Promise<unknown> => await client.stream("GET", "/slipway/logs/search", { query }).catch((error: unknown) => error);
  expect(await refused({ regex: "(" })).toMatchObject({
    class: "invalidArgument",
    message: expect.stringContaining("regex: Invalid regular expression") as string,
  });
  expect(await refused({ level: "loud" })).toMatchObject({
    class: "invalidArgument",
    message: expect.stringContaining("level must be one of trace,") as string,
  });
  expect(await refused({ field: "status" })).toMatchObject({ class: "invalidArgument" });
  expect(await refused({ limit: 0 })).toMatchObject({ class: "invalidArgument" });
  expect(await refused({ container: "never-there" })).toMatchObject({ class: "notFound" });
});

test("the last of a million lines is found, also once the container is gone", async () => {
  const id = await run(client, {
    name: "million",
    ...sh("yes 'worker 7 handled a request in 12 ms status=200 path=/api/v1/items' | head -n 1000000; echo the last words"),
  });
  await wait(client, id);
  const found = await search({ container: "million", text: "the last words", oldestFirst: 1 });
  expect(end(found)).toMatchObject({ Hits: 1 });
  expect(end(found)?.Bytes).toBeGreaterThan(100_000_000);
  console.log(`1,000,000 lines: ${JSON.stringify(end(found))}`);
  await remove(client, id);
  expect(await hits({ regex: "the (last|never) words", container: id })).toHaveLength(1);
});
