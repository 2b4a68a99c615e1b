import type { BuildWhy } from "#api/why.ts";
import type { ContainerManager } from "#core/containers/containers.ts";
import type { PullFailures } from "#core/why/pull-failures.ts";
import { explainBuild } from "#core/why/rules-build.ts";
import { type Route, route } from "./router.ts";
import type { FolderBuildBackend } from "./routes-folder-builds.ts";

interface WhyBackends {
  readonly containers: Pick<ContainerManager, "why">;
  readonly builds: Pick<FolderBuildBackend, "read">;
  readonly pulls: Pick<PullFailures, "why">;
}

/** Beyond Docker's API: the one verdict on a container that ended or is not well, on a build that failed, and on a pull that did. */
export const whyRoutes = ({ containers, builds, pulls }: WhyBackends): readonly Route[] => [
  route("GET", "/slipway/containers/{id...}/why", async ({ params }) => ({ status: 200, json: await containers.why(params.id) })),
  route("GET", "/slipway/builds/{ref}/why", ({ params }) => {
    const build = builds.read(params.ref);
    return { status: 200, json: { Ref: build.ref, State: build.state, Explanation: explainBuild(build) ?? null } satisfies BuildWhy };
  }),
  route("GET", "/slipway/images/{name...}/why", ({ params }) => ({ status: 200, json: pulls.why(params.name) })),
];
