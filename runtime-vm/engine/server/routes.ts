import type { Bin } from "#core/bin/bin.ts";
import type { Builds } from "#core/builds/builds.ts";
import type { Compose } from "#core/compose/compose.ts";
import type { ContainerManager } from "#core/containers/containers.ts";
import type { ImageStore } from "#core/images/images.ts";
import type { NetworkStore } from "#core/networks/networks.ts";
import type { VolumeContents } from "#core/volumes/contents.ts";
import type { VolumeStore } from "#core/volumes/volumes.ts";
import type { PullFailures } from "#core/why/pull-failures.ts";
import type { Handler, Route } from "./router.ts";
import { archiveRoutes } from "./routes-archive.ts";
import { buildRoutes } from "./routes-build.ts";
import { commitRoutes } from "./routes-commit.ts";
import { composeRoutes } from "./routes-compose.ts";
import { containerRoutes } from "./routes-containers.ts";
import { execRoutes } from "./routes-exec.ts";
import { type FolderBuildBackend, folderBuildRoutes } from "./routes-folder-builds.ts";
import { imageRoutes } from "./routes-images.ts";
import { logRoutes } from "./routes-logs.ts";
import { networkRoutes } from "./routes-networks.ts";
import { portRoutes } from "./routes-ports.ts";
import { pressureRoutes } from "./routes-pressure.ts";
import { registryRoutes } from "./routes-registry.ts";
import { slipwayRoutes } from "./routes-slipway.ts";
import { storeRoutes } from "./routes-store.ts";
import { streamRoutes } from "./routes-streams.ts";
import { systemRoutes } from "./routes-system.ts";
import { trashRoutes } from "./routes-trash.ts";
import { volumeContentsRoutes } from "./routes-volume-contents.ts";
import { volumeRoutes } from "./routes-volumes.ts";
import { whyRoutes } from "./routes-why.ts";

/** All nouns; each table asks for what it needs of them. */
type Nouns = Parameters<typeof systemRoutes>[0] & {
  readonly bin: Bin;
  readonly containers: ContainerManager;
  readonly images: ImageStore;
  readonly pulls: PullFailures;
  readonly registries: Parameters<typeof registryRoutes>[1];
  readonly networks: NetworkStore;
  readonly volumes: VolumeStore;
  readonly volumeContents: VolumeContents;
  readonly builds: Builds;
  readonly compose: Compose;
  readonly buildKit: Parameters<typeof buildRoutes>[1] & { readonly folders: FolderBuildBackend };
  readonly pressure: Parameters<typeof pressureRoutes>[0];
  readonly journal: Parameters<typeof slipwayRoutes>[0];
};

/** Every path this engine serves. */
export const allRoutes = (nouns: Nouns): readonly Route[] => [
  ...systemRoutes(nouns),
  ...slipwayRoutes(nouns.journal),
  ...storeRoutes(nouns.images, nouns.bin),
  ...trashRoutes(nouns.bin),
  ...execRoutes(nouns.containers),
  ...streamRoutes(nouns.containers),
  ...archiveRoutes(nouns.containers),
  ...commitRoutes(nouns.containers),
  ...containerRoutes(nouns.containers),
  ...portRoutes(nouns.containers),
  ...whyRoutes({ containers: nouns.containers, builds: nouns.buildKit.folders, pulls: nouns.pulls }),
  ...logRoutes(nouns.containers),
  ...pressureRoutes(nouns.pressure, nouns.containers),
  ...registryRoutes(nouns.images, nouns.registries),
  ...imageRoutes(nouns.images, (id) => nouns.containers.imageUsers(id), nouns.pulls),
  ...networkRoutes(nouns.networks),
  ...volumeRoutes(nouns.volumes),
  ...volumeContentsRoutes(nouns.volumeContents),
  ...buildRoutes(nouns.builds, nouns.buildKit),
  ...folderBuildRoutes(nouns.buildKit.folders),
  ...composeRoutes(nouns.compose),
];

/** What tells no more than that somebody is there. */
const atOnce = new Set(["/_ping", "/version"]);

/** The same routes, which answer once `opened` has resolved. */
export const afterwards = (opened: Promise<void>, routes: readonly Route[]): readonly Route[] =>
  routes.map((route) => {
    if (atOnce.has(route.pattern)) return route;
    const handler: Handler = async (context) => {
      await opened;
      return await route.handler(context);
    };
    return { ...route, handler };
  });
