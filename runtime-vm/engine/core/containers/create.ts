import { chownSync, mkdirSync } from "node:fs";
import { arch } from "node:os";
import { join } from "node:path";
import { EngineError } from "#base/errors.ts";
import type { ContainerCreateRequest, HostConfig } from "#api/containers.ts";
import type { ImageConfigFile } from "#api/oci.ts";
import { formatNano, nowNano } from "../clock/clock.ts";
import { formatPlatform, hostPlatform, normalized, rankPlatform } from "../images/platform.ts";
import { mappedRoot } from "../userns/identity.ts";
import type { ContainerBackends } from "./backends.ts";
import type { Catalog } from "./catalog.ts";
import { completeConfig } from "./config.ts";
import type { Descriptor } from "../content/content.ts";
import { Container } from "./container.ts";
import { containerJoined, hostnameFor, modeById, requestedEndpoints, sandboxRequest } from "./endpoints.ts";
import { publishEvent } from "./events.ts";
import { completeHostConfig } from "./host-config.ts";
import { refuseConflicts } from "./conflicts.ts";
import { requestedLinks } from "./links.ts";
import { closeLog, openLog } from "./logs.ts";
import { mapOf, usersAreMapped } from "./mapped-users.ts";
import { createMounts } from "./mounts.ts";
import { generateId, generateName, parseContainerName } from "./names.ts";
import type { ContainerRecord, ContainerTable } from "./record.ts";
import { parseRamSize } from "./units.ts";
import { Undo } from "./undo.ts";
import { makeWorkingDirectory } from "./working-directory.ts";

export interface CreateRequest {
  /** "" lets the engine choose. */
  readonly name: string;
  readonly platform?: string;
  readonly body: ContainerCreateRequest;
}

/** Makes a container, everything or nothing; it is durable when this resolves. */
export async function createContainer(
  backends: ContainerBackends,
  catalog: Catalog,
  table: ContainerTable,
  { name: wanted, platform, body }: CreateRequest,
): Promise<{ container: Container; warnings: readonly string[] }> {
  const image = body.Image === "" ? undefined : await backends.images.resolve(body.Image, platform);
  const id = generateId();
  const { HostConfig, NetworkingConfig, ...given } = body;
  refuseConflicts(given, HostConfig ?? {});
  const asked = joinedById(catalog, completeHostConfig(HostConfig ?? {}, backends.config));
  const config = completeConfig(given, image?.config.config, hostnameFor(id, catalog, body));
  const mapped = usersAreMapped(backends, asked);
  const settled = backends.specs.validate(config, asked);
  const links = requestedLinks(catalog, asked);
  const hostConfig = links.length === 0 ? settled.host : { ...settled.host, Links: null };
  const unasked = platform === undefined && image !== undefined ? foreignPlatform(image.config) : [];
  const warnings = [...unasked, ...settled.warnings, ...discarded(hostConfig), ...deprecations(body)];
  backends.sandboxes.validateEndpoints(NetworkingConfig?.EndpointsConfig ?? {});
  const endpoints = requestedEndpoints(body, hostConfig);
  const name = wanted === "" ? generateName((candidate) => catalog.isFree(candidate)) : parseContainerName(wanted);
  await using undo = new Undo(backends.journal);
  catalog.reserve(name, id);
  undo.defer(`free the name ${name}`, () => catalog.release(name, id));
  const layers = image?.layers ?? [];
  const spec = {
    createdAt: formatNano(nowNano()),
    image: image === undefined ? { id: "" as const, layers } : { id: image.id, manifest: { ...image.manifest, platform: platformOf(image.config) }, layers },
    config,
    hostConfig,
    endpoints,
    ...(links.length === 0 ? {} : { links }),
    ...(mapped ? { mapped } : {}),
  };
  backends.sandboxes.validate(sandboxRequest(backends.config, { id, name, spec: { ...spec, mounts: [] } }, hostConfig.NetworkMode ?? ""));
  const directory = join(backends.paths.containers, id);
  mkdirSync(directory, { mode: 0o710 });
  undo.defer(`remove ${directory}`, () => backends.trash.move(directory));
  if (mapped) chownSync(directory, 0, mappedRoot(backends.userns?.map).gid);
  await backends.snapshots.prepare(id, layers, { mapped });
  undo.defer(`remove the root of ${id}`, () => backends.snapshots.remove(id));
  const rootBytes = parseRamSize(hostConfig.StorageOpt?.["size"] ?? String(backends.config.rootBytes));
  if (rootBytes > 0) backends.snapshots.limit(id, rootBytes);
  await makeWorkingDirectory(backends, { id, path: config.WorkingDir ?? "", map: mapOf(backends, spec) });
  const mounts = await createMounts(backends, catalog, { containerId: id, config, hostConfig, mapped, undo });
  const created = { kind: "created", exitCode: 0, error: "" } as const;
  const record: ContainerRecord = { id, name, spec: { ...spec, mounts }, progress: { phase: created, restartCount: 0, manuallyStopped: false } };
  const container = new Container(record, created);
  // Opened now, so that options a driver does not know are refused before there is a container.
  await openLog(backends, container);
  undo.defer(`remove the log of ${id}`, () => closeLog(container));
  await table.insert(record);
  catalog.add(container);
  undo.commit();
  publishEvent(backends.events, container, "create");
  return { container, warnings };
}

/** Shown with the manifest, whether the index named it or not. */
function platformOf({ architecture, os, variant }: ImageConfigFile): NonNullable<Descriptor["platform"]> {
  return { architecture, os, ...(variant ? { variant } : {}) };
}

/** Other containers by their ids, so that they are joined whatever they are called later. A network's owner may still be missing. */
function joinedById(catalog: Catalog, host: HostConfig): HostConfig {
  const { NetworkMode = "", PidMode = "", IpcMode = "" } = host;
  for (const mode of [PidMode, IpcMode]) {
    const name = containerJoined(mode);
    if (name !== undefined && catalog.find(name) === undefined) throw new EngineError("invalidArgument", `No such container: ${name}`);
  }
  return { ...host, NetworkMode: modeById(catalog, NetworkMode), PidMode: modeById(catalog, PidMode), IpcMode: modeById(catalog, IpcMode) };
}

function foreignPlatform(image: ImageConfigFile): string[] {
  const host = hostPlatform(arch());
  if (rankPlatform(host, platformOf(image)) !== undefined) return [];
  const [asked, here] = [formatPlatform(normalized(platformOf(image))), formatPlatform(host)];
  return [`The requested image's platform (${asked}) does not match the detected host platform (${here}) and no specific platform was requested`];
}

const discarded = ({ NetworkMode, PortBindings }: HostConfig): string[] =>
  NetworkMode === "host" && Object.keys(PortBindings ?? {}).length > 0 ? ["Published ports are discarded when using host network mode"] : [];

const deprecations = (body: ContainerCreateRequest): string[] =>
  body.MacAddress ? ["The container-wide MacAddress field is now deprecated. It should be specified in EndpointsConfig instead."] : [];
