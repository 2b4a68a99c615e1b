import { expect, test } from "vitest";
import { fakeBridge } from "#renderer/fakebridge.ts";
import { createActivity, curlLine } from "./activity.ts";
import { dockerCommand } from "./dockercommand.ts";
import { createEngine } from "./engine/engine.ts";

test("what the window does is written down with its command and how it ended; what it reads is not", async () => {
  const bridge = fakeBridge();
  bridge.answer("POST /containers/web/start", { status: 204 });
  bridge.answer("DELETE /volumes/data", { status: 409, body: { message: "volume is in use" } });
  const activity = createActivity(bridge);
  const engine = createEngine(activity.bridge);
  await engine.containers.list();
  await engine.containers.start("web");
  await expect(engine.volumes.remove("data")).rejects.toThrow("in use");
  expect(activity.store.getState().list).toMatchObject([
    { call: "DELETE /volumes/data", command: "docker volume rm data", result: { kind: "failed", words: "HTTP 409: volume is in use" } },
    { call: "POST /containers/web/start", command: "docker container start web", result: { kind: "done", status: 204 } },
  ]);
  expect(curlLine({ call: "POST /containers/web/start", body: "" }, "/run/d.sock")).toBe(
    "curl --unix-socket /run/d.sock -X POST http://localhost/containers/web/start",
  );
});

test("values of secrets are in neither the body nor the command", async () => {
  const bridge = fakeBridge();
  bridge.answer("POST /containers/create", { status: 201, body: { Id: "x" } });
  const activity = createActivity(bridge);
  await createEngine(activity.bridge).containers.create("db", { Image: "postgres", Env: ["DB_PASSWORD=hunter2", "LEVEL=1"] });
  const [act] = activity.store.getState().list;
  expect(JSON.stringify(act)).not.toContain("hunter2");
  expect(act?.command).toContain("-e LEVEL=1 postgres");
});

test.each([
  [{ method: "DELETE", path: "/containers/web?force=1&v=1" }, "docker container rm -f -v web"],
  [{ method: "POST", path: "/images/create?fromImage=nginx&tag=1.27" }, "docker image pull nginx:1.27"],
  [{ method: "POST", path: "/images/create?fromImage=nginx&tag=sha256%3Aab" }, "docker image pull nginx@sha256:ab"],
  [{ method: "POST", path: "/containers/web/update", body: { Memory: 1024, NanoCpus: 1.5e9 } }, "docker container update --memory 1024 --cpus 1.5 web"],
  [
    { method: "POST", path: "/networks/create", body: { Name: "front", Driver: "bridge", IPAM: { Config: [{ Subnet: "10.1.0.0/16" }] }, Internal: true } },
    "docker network create -d bridge --subnet 10.1.0.0/16 --internal front",
  ],
  [{ method: "POST", path: "/slipway/compose/act", body: { Verb: "up", Files: ["/s/c.yaml"], Build: true } }, "docker compose -f /s/c.yaml up -d --build"],
  [{ method: "POST", path: "/slipway/volumes/data/fork", body: { Name: "copy" } }, undefined],
] as const)("%j is %s", (request, command) => {
  expect(dockerCommand(request)).toBe(command);
});
