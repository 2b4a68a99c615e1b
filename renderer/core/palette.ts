import type { ContainerSummary } from "#api/containers.ts";
import type { ImageSummary } from "#api/images.ts";
import type { NetworkInspect } from "#api/networks.ts";
import type { RemoteEngine } from "#bridge/bridge.ts";
import type { Volume } from "#api/volumes.ts";
import type { ActName } from "./acts.ts";
import { canStart, canStop, matches, statusWord } from "./containers.ts";
import { plainName, size } from "./format.ts";
import { t } from "./texts.ts";

/** What an entry of the palette does. */
export type PaletteDeed =
  | { readonly kind: "go"; readonly path: string }
  | { readonly kind: "act"; readonly act: ActName; readonly id: string; readonly name: string }
  | { readonly kind: "run"; readonly image: string }
  /** Another engine, or this computer's. */
  | { readonly kind: "show"; readonly engine: RemoteEngine | undefined }
  | { readonly kind: "addEngine" };

export interface PaletteEntry {
  readonly key: string;
  readonly title: string;
  /** What it is, and how it is doing. */
  readonly note: string;
  readonly deed: PaletteDeed;
  /** Takes a second step, since it cannot be undone. */
  readonly loses: boolean;
}

export interface PaletteObjects {
  readonly places: readonly { readonly path: string; readonly label: string }[];
  readonly containers: readonly ContainerSummary[];
  readonly images: readonly ImageSummary[];
  readonly volumes: readonly Volume[];
  readonly networks: readonly NetworkInspect[];
  /** Those that could be shown instead of the one that is; undefined: this computer's. */
  readonly engines: readonly (RemoteEngine | undefined)[];
}

const go = (key: string, title: string, note: string, path: string): PaletteEntry => ({ key, title, note, deed: { kind: "go", path }, loses: false });

/** Every object, and everything that can be done with one. */
export function paletteEntries({ places, containers, images, volumes, networks, engines }: PaletteObjects): readonly PaletteEntry[] {
  const tags = images.flatMap((image) => image.RepoTags.filter((tag) => !tag.startsWith("<none>")).map((tag) => ({ tag, image })));
  return [
    ...places.map(({ path, label }) => go(`page ${path}`, label, t.palette.page, path)),
    ...containers.map((container) => go(container.Id, plainName(container.Names), containerNote(container), `/containers/${container.Id}/logs`)),
    ...tags.map(({ tag, image }) => go(`image ${tag}`, tag, `${t.palette.image} · ${size(image.Size)}`, `/images/${encodeURIComponent(tag)}`)),
    ...volumes.map(({ Name, Driver }) => go(`volume ${Name}`, Name, `${t.palette.volume} · ${Driver}`, `/volumes/${encodeURIComponent(Name)}`)),
    ...networks.map(({ Id, Name, Driver }) => go(`network ${Id}`, Name, `${t.palette.network} · ${Driver}`, `/networks/${Id}`)),
    ...engines.map(
      (engine): PaletteEntry => ({
        key: `show ${engine?.id ?? "here"}`,
        title: t.engines.showNamed(engine?.name ?? t.engines.here),
        note: engine === undefined ? t.engines.title : `${t.engines.title} · ${engine.url}`,
        deed: { kind: "show", engine },
        loses: false,
      }),
    ),
    { key: "add engine", title: t.engines.add, note: t.engines.title, deed: { kind: "addEngine" }, loses: false },
    ...containers.flatMap(containerActs),
    ...tags.map(
      ({ tag }): PaletteEntry => ({ key: `run ${tag}`, title: t.palette.run(tag), note: t.palette.image, deed: { kind: "run", image: tag }, loses: false }),
    ),
  ];
}

const containerNote = ({ State, Status }: ContainerSummary): string => `${t.palette.container} · ${statusWord(State, Status)}`;

function containerActs(container: ContainerSummary): readonly PaletteEntry[] {
  const { Id: id, State: state } = container;
  const name = plainName(container.Names);
  const note = containerNote(container);
  const act = (which: ActName, loses = false): PaletteEntry => ({
    key: `${which} ${id}`,
    title: t.palette.acts[which](name),
    note,
    deed: { kind: "act", act: which, id, name },
    loses,
  });
  return [
    ...(canStart(state) ? [act("start")] : []),
    ...(canStop(state) ? [act("stop"), act("restart")] : []),
    ...(state === "running" ? [act("pause")] : []),
    ...(state === "paused" ? [act("unpause")] : []),
    ...(["terminal", "files", "stats", "inspect"] as const).map((tab) =>
      go(`${tab} ${id}`, t.palette.tab(t.containers.tabs[tab], name), note, `/containers/${id}/${tab}`),
    ),
    act("remove", true),
  ];
}

const shownMax = 50;

/** The entries that have all words of the query, those first that begin with it. */
export function searchPalette(entries: readonly PaletteEntry[], query: string): readonly PaletteEntry[] {
  const text = query.trim().toLowerCase();
  if (text === "") return entries.filter(({ deed }) => deed.kind === "go").slice(0, shownMax);
  const rank = ({ title }: PaletteEntry): number =>
    title.toLowerCase() === text ? 0 : title.toLowerCase().startsWith(text) ? 1 : title.toLowerCase().includes(text) ? 2 : 3;
  return entries
    .filter(({ title, note }) => matches(text, title, note))
    .toSorted((a, b) => rank(a) - rank(b))
    .slice(0, shownMax);
}
