import type { IncomingHttpHeaders } from "node:http";
import { EngineError } from "#base/errors.ts";
import type { ContainerCreateRequest, HostConfig } from "#api/containers.ts";
import { connectNetworkShape, createContainerShape, disconnectNetworkShape, updateContainerShape } from "#api/container-shapes.ts";
import type { EndpointSettings } from "#api/networks.ts";
import { type ApiVersion, has } from "#api/versions.ts";
import type { ContainerManager } from "#core/containers/containers.ts";
import type { StopOptions } from "#core/containers/stop.ts";
import type { UpdateRequest } from "#core/containers/update.ts";
import type { WaitCondition } from "#core/containers/waiters.ts";
import { sizeOf } from "./numbers.ts";
import type { Query } from "./query.ts";
import { type Route, route } from "./router.ts";

type Lifecycle = Pick<
  ContainerManager,
  | "create"
  | "list"
  | "inspect"
  | "start"
  | "stop"
  | "restart"
  | "kill"
  | "pause"
  | "unpause"
  | "wait"
  | "remove"
  | "rename"
  | "resize"
  | "top"
  | "prune"
  | "update"
  | "unlink"
  | "connectNetwork"
  | "disconnectNetwork"
>;

/** Containers from create to remove. */
export const containerRoutes = (containers: Lifecycle): readonly Route[] => [
  route("GET", "/containers/json", async ({ query, version }) => {
    const rows = await containers.list({ all: query.bool("all"), limit: query.int("limit", 0), size: query.bool("size"), filters: query.filters() });
    return { status: 200, json: rows.map((row) => shaped(row, version)) };
  }),
  route("POST", "/containers/create", async ({ query, version, json }) => {
    const body = (await json(createContainerShape)) as Partial<ContainerCreateRequest> | undefined;
    if (body === undefined) throw new EngineError("invalidArgument", "invalid JSON: got EOF while reading request body");
    // dockerd calls a body without any field of the container's own configuration empty.
    if (Object.keys(body).every((key) => key === "HostConfig" || key === "NetworkingConfig")) {
      throw new EngineError("invalidArgument", "config cannot be empty in order to create a container");
    }
    if (!has(version, "imageMounts") && body.HostConfig?.Mounts?.some(({ Type }) => Type === "image")) {
      throw new EngineError("invalidArgument", 'Mount type "Image" needs API v1.48 or newer');
    }
    const platform = query.get("platform");
    const created = await containers.create({
      name: query.get("name"),
      body: { ...body, Image: body.Image ?? "", ...hostConfigFor(body, has(version, "consoleSize")) },
      ...(platform === "" ? {} : { platform }),
    });
    return { status: 201, json: created };
  }),
  route("POST", "/containers/prune", async ({ query }) => ({ status: 200, json: await containers.prune(query.filters()) })),
  route("GET", "/containers/{id...}/json", async ({ params, query, version }) => ({
    status: 200,
    json: shaped(await containers.inspect(params.id, { size: query.bool("size") }), version),
  })),
  route("GET", "/containers/{id...}/top", ({ params, query }) => ({ status: 200, json: containers.top(params.id, query.get("ps_args") || "-ef") })),
  route("POST", "/containers/{id...}/start", async ({ params, query, headers }) => {
    refuseConfiguration(headers);
    if (query.get("checkpoint") !== "") throw new EngineError("invalidArgument", "checkpoint is only supported in experimental mode");
    await containers.start(params.id);
    return { status: 204 };
  }),
  route("POST", "/containers/{id...}/stop", async ({ params, query }) => {
    await containers.stop(params.id, stopOptions(query));
    return { status: 204 };
  }),
  route("POST", "/containers/{id...}/restart", async ({ params, query }) => {
    await containers.restart(params.id, stopOptions(query));
    return { status: 204 };
  }),
  route("POST", "/containers/{id...}/kill", async ({ params, query }) => {
    await containers.kill(params.id, query.get("signal"));
    return { status: 204 };
  }),
  route("POST", "/containers/{id...}/pause", async ({ params }) => {
    await containers.pause(params.id);
    return { status: 204 };
  }),
  route("POST", "/containers/{id...}/unpause", async ({ params }) => {
    await containers.unpause(params.id);
    return { status: 204 };
  }),
  route("POST", "/containers/{id...}/rename", async ({ params, query }) => {
    await containers.rename(params.id, query.get("name"));
    return { status: 204 };
  }),
  route("POST", "/containers/{id...}/resize", async ({ params, query }) => {
    await containers.resize(params.id, sizeOf(query));
    return { status: 200 };
  }),
  route("POST", "/containers/{id...}/update", async ({ params, json }) => {
    const warnings = await containers.update(params.id, ((await json(updateContainerShape)) ?? {}) as UpdateRequest);
    return { status: 200, json: { Warnings: warnings.length === 0 ? null : warnings } };
  }),
  route("POST", "/containers/{id...}/wait", ({ params, query, version, signal }) => {
    const condition = waitCondition(has(version, "waitConditions") ? query.get("condition") : "");
    // Registered before the head is sent: a client starts the container once it has seen the head.
    const { result } = containers.wait(params.id, condition, signal);
    result.catch(() => undefined);
    return { status: 200, stream: waitAnswer(result) };
  }),
  route("POST", "/networks/{network}/connect", async ({ params, json }) => {
    const body = ((await json(connectNetworkShape)) ?? {}) as { Container?: string; EndpointConfig?: EndpointSettings };
    await containers.connectNetwork(named(body.Container), params.network, body.EndpointConfig ?? {});
    return { status: 200 };
  }),
  route("POST", "/networks/{network}/disconnect", async ({ params, json }) => {
    const body = ((await json(disconnectNetworkShape)) ?? {}) as { Container?: string };
    await containers.disconnectNetwork(named(body.Container), params.network);
    return { status: 200 };
  }),
  route("DELETE", "/containers/{id...}", async ({ params, query }) => {
    if (query.bool("link")) {
      await containers.unlink(params.id);
      return { status: 204 };
    }
    await containers.remove(params.id, { force: query.bool("force"), volumes: query.bool("v") });
    return { status: 204 };
  }),
];

/** What older clients do not know is left out for them. */
function shaped<T extends { ImageManifestDescriptor?: unknown }>(answer: T, version: ApiVersion): T | Omit<T, "ImageManifestDescriptor"> {
  if (has(version, "manifestDescriptor")) return answer;
  const { ImageManifestDescriptor: _, ...older } = answer;
  return older;
}

function hostConfigFor(body: Partial<ContainerCreateRequest>, consoleSize: boolean): Pick<ContainerCreateRequest, "HostConfig"> {
  const { ConsoleSize: [height = 0, width = 0] = [], ...host } = (body.HostConfig ?? {}) as Omit<HostConfig, "ConsoleSize"> & {
    ConsoleSize?: readonly number[];
  };
  return { HostConfig: { ...host, ConsoleSize: consoleSize ? [height, width] : [0, 0] } };
}

/** The container that a network's request is about. */
function named(container: string | undefined): string {
  if (!container) throw new EngineError("invalidArgument", 'invalid name or ID supplied: ""');
  return container;
}

function stopOptions(query: Query): StopOptions {
  const signal = query.get("signal");
  const given = query.get("t");
  return { ...(signal === "" ? {} : { signal }), ...(given === "" ? {} : { timeoutSeconds: query.int("t", 0) }) };
}

function waitCondition(text: string): WaitCondition {
  if (text === "") return "not-running";
  if (text === "not-running" || text === "next-exit" || text === "removed") return text;
  throw new EngineError("invalidArgument", `invalid condition: ${JSON.stringify(text)}`);
}

async function* waitAnswer(result: Promise<{ exitCode: number; error?: string }>): AsyncGenerator<string> {
  const { exitCode, error } = await result;
  yield `${JSON.stringify({ StatusCode: exitCode, ...(error === undefined ? {} : { Error: { Message: error } }) })}\n`;
}

/** Old clients sent the machine's part of the configuration when they started a container. An empty object is shorter than this. */
function refuseConfiguration(headers: IncomingHttpHeaders): void {
  const known = Number(headers["content-length"] ?? (headers["transfer-encoding"] === undefined ? "0" : "-1"));
  if (known === -1 || known > emptyBytesMax) {
    throw new EngineError("invalidArgument", "starting container with non-empty request body was deprecated since API v1.22 and removed in v1.24");
  }
}

const emptyBytesMax = 7;
