import { Camera, Download, Eraser, GitFork, Upload } from "lucide-react";
import { useRef, useState } from "react";
import { useLocation } from "wouter";
import { useApp } from "#renderer/appcontext.ts";
import { sendTar } from "#renderer/core/containerfiles.ts";
import { saveStream } from "#renderer/core/download.ts";
import { keys } from "#renderer/core/keys.ts";
import { t } from "#renderer/core/texts.ts";
import { toastDone, toastFailed } from "#renderer/core/toasts.ts";
import { useEngineUp } from "#renderer/queries.ts";
import { AskDialog } from "#renderer/ui/askdialog.tsx";
import { Button, IconButton } from "#renderer/ui/button.tsx";
import { Confirm } from "#renderer/ui/confirm.tsx";
import { Field, Input } from "#renderer/ui/field.tsx";

export interface VolumeActsProps {
  readonly name: string;
  /** Containers that use it. */
  readonly users: readonly string[];
}

/** What can be done with a volume's contents. */
export function VolumeActs({ name, users }: VolumeActsProps) {
  const { engine, queries } = useApp();
  const up = useEngineUp();
  const [asking, setAsking] = useState<"snapshot" | "fork" | "empty">();
  const [importing, setImporting] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const save = async (): Promise<void> => {
    try {
      await saveStream(await engine.volumes.export(name, new AbortController().signal), `${name}.tar`);
    } catch (error) {
      toastFailed(error, t.volumes.exportFailed(name));
    }
  };
  const unpack = async (file: File): Promise<void> => {
    setImporting(true);
    try {
      await sendTar(engine.volumes.write(name), file.stream() as unknown as AsyncIterable<Uint8Array>, `POST /slipway/volumes/${name}/import`);
      toastDone(t.volumes.importDone(file.name, name));
      await changed(queries, name);
    } catch (error) {
      toastFailed(error, t.volumes.importFailed(name));
    } finally {
      setImporting(false);
    }
  };
  return (
    <>
      <Button icon={Camera} disabled={!up} onClick={() => setAsking("snapshot")}>
        {t.volumes.snapshotDots}
      </Button>
      <Button icon={GitFork} disabled={!up} onClick={() => setAsking("fork")}>
        {t.volumes.forkDots}
      </Button>
      <Button icon={Download} disabled={!up} data-tip={t.volumes.exportTip} onClick={() => void save()}>
        {t.volumes.export}
      </Button>
      <Button icon={Upload} disabled={!up} busy={importing} data-tip={t.volumes.importTip} onClick={() => input.current?.click()}>
        {t.volumes.importDots}
      </Button>
      <input
        ref={input}
        type="file"
        accept=".tar,.tar.gz,.tgz,.tar.xz,.tar.zst"
        hidden
        data-testid="volume-import"
        onChange={(event) => {
          const [file] = event.target.files ?? [];
          if (file !== undefined) void unpack(file);
          event.target.value = "";
        }}
      />
      <IconButton icon={Eraser} danger label={t.volumes.emptyDots} disabled={!up} onClick={() => setAsking("empty")} className="size-[30px]" />
      {asking === "snapshot" && <SnapshotDialog name={name} users={users} onClose={() => setAsking(undefined)} />}
      {asking === "fork" && <ForkDialog name={name} snapshot="" onClose={() => setAsking(undefined)} />}
      {asking === "empty" && <EmptyVolume name={name} users={users} onClose={() => setAsking(undefined)} />}
    </>
  );
}

/** Its files, its size, and what it has kept of both. */
async function changed(queries: ReturnType<typeof useApp>["queries"], name: string): Promise<void> {
  await Promise.all([["files", `volume ${name}`], keys.usage].map((queryKey) => queries.invalidateQueries({ queryKey })));
}

function SnapshotDialog({ name, users, onClose }: VolumeActsProps & { readonly onClose: () => void }) {
  const { engine, queries } = useApp();
  const [as, setAs] = useState(() => new Date().toISOString().slice(0, 19).replaceAll(":", "-"));
  const work = async (): Promise<void> => {
    await engine.volumes.snapshot(name, as.trim());
    toastDone(t.volumes.snapshotDone(as.trim()));
    await queries.invalidateQueries({ queryKey: keys.snapshots(name) });
  };
  return (
    <AskDialog
      testId="volume-snapshot"
      title={t.volumes.snapshotTitle(name)}
      verb={t.volumes.snapshotVerb}
      failed={t.volumes.snapshotFailed(name)}
      disabled={as.trim() === ""}
      work={work}
      onClose={onClose}
    >
      <Field label={t.common.name} hint={t.volumes.snapshotHint}>
        {({ invalid: _, ...field }) => <Input {...field} mono data-autofocus value={as} onChange={(event) => setAs(event.target.value)} />}
      </Field>
      {users.length > 0 && <p className="text-sm text-fg2">{t.volumes.snapshotLive(users.join(", "))}</p>}
    </AskDialog>
  );
}

/** A new volume of this one, or of one of its snapshots. */
export function ForkDialog({ name, snapshot, onClose }: { readonly name: string; readonly snapshot: string; readonly onClose: () => void }) {
  const { engine, queries } = useApp();
  const [, go] = useLocation();
  const [to, setTo] = useState(`${name.slice(0, 40)}-${snapshot === "" ? "copy" : snapshot}`);
  const work = async (): Promise<void> => {
    const made = await engine.volumes.fork(name, to.trim(), snapshot);
    toastDone(t.volumes.forkDone(made.Name));
    await queries.invalidateQueries({ queryKey: keys.volumes });
    go(`/volumes/${encodeURIComponent(made.Name)}`);
  };
  return (
    <AskDialog
      testId="volume-fork"
      title={t.volumes.forkTitle(snapshot === "" ? name : snapshot)}
      verb={t.volumes.forkVerb}
      failed={t.volumes.forkFailed(name)}
      disabled={to.trim() === ""}
      work={work}
      onClose={onClose}
    >
      <Field label={t.common.name} hint={t.volumes.forkHint}>
        {({ invalid: _, ...field }) => <Input {...field} mono data-autofocus value={to} onChange={(event) => setTo(event.target.value)} />}
      </Field>
    </AskDialog>
  );
}

function EmptyVolume({ name, users, onClose }: VolumeActsProps & { readonly onClose: () => void }) {
  const { engine, queries } = useApp();
  const empty = async (): Promise<void> => {
    try {
      await engine.volumes.empty(name);
      toastDone(t.volumes.emptied(name));
    } catch (error) {
      toastFailed(error, t.volumes.emptyFailed(name));
    }
    await changed(queries, name);
  };
  return (
    <Confirm title={t.volumes.emptyTitleOf(name)} verb={t.volumes.emptyVerb(name)} onClose={onClose} onConfirm={empty}>
      <p>{t.volumes.emptyTextOf}</p>
      {users.length > 0 && <p className="font-medium text-fg">{t.volumes.emptyUsed(users.join(", "))}</p>}
    </Confirm>
  );
}
