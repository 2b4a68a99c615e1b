import { Download, Layers, Play, Tag } from "lucide-react";
import { useState } from "react";
import { useLocation } from "wouter";
import type { ImageInspect } from "#api/images.ts";
import { useApp } from "#renderer/appcontext.ts";
import { saveStream } from "#renderer/core/download.ts";
import { exactTime, shortId, size } from "#renderer/core/format.ts";
import { imageRows } from "#renderer/core/images.ts";
import { t } from "#renderer/core/texts.ts";
import { toastFailed } from "#renderer/core/toasts.ts";
import { useContainers, useImage, useImages } from "#renderer/queries.ts";
import { Badge } from "#renderer/ui/badge.tsx";
import { Button, IconButton } from "#renderer/ui/button.tsx";
import { CopyButton } from "#renderer/ui/copy.tsx";
import { RunDialog } from "#renderer/views/containers/rundialog.tsx";
import { useForeign } from "#renderer/views/engines/useengines.ts";
import { UserList } from "#renderer/views/objects/lists.tsx";
import { ObjectPage } from "#renderer/views/objects/objectpage.tsx";
import { DeleteImages } from "./deleteimages.tsx";
import { ImageFiles } from "./filestab.tsx";
import { ImageLayers } from "./layers.tsx";
import { TagDialog } from "./tagdialog.tsx";

export function ImagePage({ name }: { readonly name: string }) {
  const { engine } = useApp();
  const query = useImage(name);
  const foreign = useForeign();
  const [, go] = useLocation();
  const [dialog, setDialog] = useState<"run" | "delete" | "tag">();
  const images = useImages().data ?? [];
  const containers = useContainers().data ?? [];
  const rows = imageRows(images, containers).filter((row) => row.id === query.data?.Id);
  // Opened by one of its names, the page is about that name; opened by its id, about the image with all its names.
  const own = rows.find((row) => row.reference === name || row.reference === `${name}:latest`);
  const title = own?.reference ?? query.data?.RepoTags?.[0] ?? shortId(name);
  const save = async (): Promise<void> => {
    try {
      await saveStream(await engine.images.save(title, new AbortController().signal), `${title.replaceAll(/[/:@]/g, "_")}.tar`);
    } catch (error) {
      toastFailed(error, t.images.saveFailed(title));
    }
  };
  return (
    <ObjectPage
      title={title}
      icon={Layers}
      listPath="/images"
      query={query}
      facts={(image) => [
        ...facts(image, rows[0]?.size ?? image.Size),
        [t.images.usedBy, <UserList key="users" containers={containers} names={[...new Set(rows.flatMap(({ users }) => users))]} none={t.images.unused} />],
      ]}
      more={(image) => <ImageLayers id={image.Id} />}
      views={foreign ? [] : [{ id: "files", label: t.images.files, draw: (image) => <ImageFiles key={image.Id} id={image.Id} /> }]}
      actions={
        <>
          <Button icon={Play} variant="primary" onClick={() => setDialog("run")}>
            {t.images.run}
          </Button>
          <IconButton icon={Tag} label={t.images.tagDots} onClick={() => setDialog("tag")} className="size-[30px]" />
          <IconButton icon={Download} label={t.images.save} onClick={() => void save()} className="size-[30px]" />
        </>
      }
      onDelete={rows.length > 0 ? () => setDialog("delete") : undefined}
    >
      {dialog === "tag" && <TagDialog image={title} onClose={() => setDialog(undefined)} />}
      {dialog === "run" && <RunDialog image={title} onClose={() => setDialog(undefined)} />}
      {dialog === "delete" && <DeleteImages rows={own === undefined ? rows : [own]} onClose={() => setDialog(undefined)} onDeleted={() => go("/images")} />}
    </ObjectPage>
  );
}

const mono = (text: string) => <code className="font-mono text-sm">{text}</code>;

/** `bytes`: what the list says, which counts what is unpacked as well. */
function facts(image: ImageInspect, bytes: number): readonly (readonly [string, React.ReactNode])[] {
  const { Config } = image;
  const tags = image.RepoTags ?? [];
  const list = (items: readonly string[] | null | undefined) =>
    items === undefined || items === null || items.length === 0 ? t.common.none : mono(items.join(" "));
  return [
    [
      t.common.name,
      <span key="tags" className="flex flex-wrap gap-1.5">
        {tags.length === 0 ? t.images.untagged : tags.map((tag) => <Badge key={tag}>{tag}</Badge>)}
      </span>,
    ],
    [
      t.images.columns.id,
      <span key="id" className="flex items-center gap-1">
        {mono(shortId(image.Id))}
        <CopyButton small text={image.Id} label={t.containers.copyId} />
      </span>,
    ],
    [t.images.platform, [image.Os, image.Architecture, image.Variant].filter(Boolean).join("/")],
    [t.images.columns.size, size(bytes)],
    [t.common.created, exactTime(Date.parse(image.Created ?? "") / 1000) || t.common.none],
    [t.images.entrypoint, list(Config?.Entrypoint)],
    [t.images.command, list(Config?.Cmd)],
    [t.images.ports, list(Object.keys(Config?.ExposedPorts ?? {}))],
    [t.images.workdir, Config?.WorkingDir === undefined || Config.WorkingDir === "" ? "/" : mono(Config.WorkingDir)],
    [t.images.user, Config?.User === undefined || Config.User === "" ? "root" : Config.User],
  ];
}
