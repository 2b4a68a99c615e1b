import type { ComposeActOptions, ComposeProjectSource, ComposeVerb } from "#api/compose.ts";
import { bool, int, list, map, string, struct } from "#api/decode.ts";
import type { Compose } from "#core/compose/compose.ts";
import { json, lines } from "./image-answers.ts";
import { type Route, route } from "./router.ts";

const source = { Folder: string, Files: list(string), Project: string, Home: string };
const checkShape = struct("slipway.ComposeCheck", { ...source, Text: string, Typed: bool });
const act = { Verb: string, Services: list(string), Scale: map(int), Build: bool, RemoveOrphans: bool, Volumes: bool, DryRun: bool };
const actShape = struct("slipway.ComposeAct", { ...source, ...act });

interface SourceBody {
  readonly Folder?: string;
  readonly Files?: readonly string[];
  readonly Project?: string;
  readonly Home?: string;
}

interface ActBody extends SourceBody {
  readonly Verb?: string;
  readonly Services?: readonly string[];
  readonly Scale?: Readonly<Record<string, number>>;
  readonly Build?: boolean;
  readonly RemoveOrphans?: boolean;
  readonly Volumes?: boolean;
  readonly DryRun?: boolean;
}

/** Beyond Docker's API: Compose projects, by the docker compose that the engine has beside it. */
export const composeRoutes = (compose: Pick<Compose, "act" | "check">): readonly Route[] => [
  route("POST", "/slipway/compose/check", async ({ json: body, signal }) => {
    const asked = ((await body(checkShape)) ?? {}) as SourceBody & { readonly Text?: string; readonly Typed?: boolean };
    return { status: 200, json: await compose.check(sourceOf(asked), asked.Typed === true ? (asked.Text ?? "") : undefined, signal) };
  }),
  route("POST", "/slipway/compose/act", async ({ json: body, signal }) => {
    const asked = ((await body(actShape)) ?? {}) as ActBody;
    return { status: 200, headers: json, stream: lines(compose.act(sourceOf(asked), optionsOf(asked), signal)) };
  }),
];

const sourceOf = ({ Folder = "", Files, Project = "", Home = "" }: SourceBody): ComposeProjectSource => ({
  folder: Folder,
  files: Files ?? [],
  project: Project,
  home: Home,
});

const optionsOf = ({ Verb = "", Services, Scale, Build = false, RemoveOrphans = false, Volumes = false, DryRun = false }: ActBody): ComposeActOptions => ({
  verb: Verb as ComposeVerb, // checked with the rest, by who makes words of it
  services: Services ?? [],
  scale: Scale ?? {},
  build: Build,
  removeOrphans: RemoveOrphans,
  volumes: Volumes,
  dryRun: DryRun,
});
