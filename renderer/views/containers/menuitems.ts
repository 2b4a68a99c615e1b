import {
  Box,
  Copy,
  FileArchive,
  FileText,
  FolderTree,
  Gauge,
  Link,
  Pause,
  Pencil,
  Play,
  RotateCw,
  Save,
  Square,
  SquareTerminal,
  Trash2,
  Zap,
} from "lucide-react";
import type { ContainerStatus, ContainerInspect } from "#api/containers.ts";
import type { HostInfo } from "#bridge/bridge.ts";
import type { ImageRunConfig } from "#api/oci.ts";
import type { App } from "#renderer/core/app.ts";
import { canStart, canStop } from "#renderer/core/containers.ts";
import { composeService, dockerRunLine } from "#renderer/core/copyrun.ts";
import { saveStream } from "#renderer/core/download.ts";
import { keys } from "#renderer/core/keys.ts";
import { t } from "#renderer/core/texts.ts";
import { toastDone, toastFailed } from "#renderer/core/toasts.ts";
import type { MenuItem } from "#renderer/ui/menu.tsx";
import type { ContainerActions, Target } from "./actions.ts";

/** What asks for more before it is done. */
export type ContainerDialogName = "kill" | "rename" | "limits" | "commit";

export interface MenuOptions {
  readonly app: App;
  readonly actions: ContainerActions;
  readonly go: (path: string) => void;
  readonly ask: (dialog: ContainerDialogName) => void;
  readonly onDelete: () => void;
}

/** Everything that can be done with one container; the same in the list and on its page. */
export function containerMenu(target: Target, state: ContainerStatus, options: MenuOptions): readonly MenuItem[] {
  const { actions, go, ask, onDelete } = options;
  const [alive, page] = [state === "running" || state === "paused", `/containers/${target.id}`];
  return [
    { label: t.containers.logs, icon: FileText, onSelect: () => go(`${page}/logs`) },
    { label: t.containers.terminal, icon: SquareTerminal, onSelect: () => go(`${page}/terminal`) },
    { label: t.containers.browse, icon: FolderTree, onSelect: () => go(`${page}/files`) },
    { kind: "line" },
    { label: t.containers.start, icon: Play, disabled: !canStart(state), onSelect: () => void actions.run("start", [target]) },
    { label: t.containers.stop, icon: Square, disabled: !canStop(state), onSelect: () => void actions.run("stop", [target]) },
    { label: t.containers.restart, icon: RotateCw, disabled: !canStop(state), onSelect: () => void actions.run("restart", [target]) },
    state === "paused"
      ? { label: t.containers.unpause, icon: Play, onSelect: () => void actions.run("unpause", [target]) }
      : { label: t.containers.pause, icon: Pause, disabled: state !== "running", onSelect: () => void actions.run("pause", [target]) },
    { label: t.containers.killDots, icon: Zap, disabled: !alive, onSelect: () => ask("kill") },
    { kind: "line" },
    { label: t.containers.renameDots, icon: Pencil, onSelect: () => ask("rename") },
    { label: t.containers.limitsDots, icon: Gauge, onSelect: () => ask("limits") },
    { label: t.containers.commitDots, icon: Save, onSelect: () => ask("commit") },
    { label: t.containers.export, icon: FileArchive, onSelect: () => void exportFiles(options.app, target) },
    { kind: "line" },
    { label: t.containers.copyRun, icon: Copy, onSelect: () => void copyAs(options.app, target, dockerRunLine) },
    { label: t.containers.copyCompose, icon: Box, onSelect: () => void copyAs(options.app, target, composeService) },
    { label: t.containers.copyId, icon: Copy, onSelect: () => void navigator.clipboard.writeText(target.id) },
    ...(leadsHere(options.app)
      ? [{ label: t.containers.copyLink, icon: Link, onSelect: () => void navigator.clipboard.writeText(`slipway://containers/${target.id}`) }]
      : []),
    { kind: "line" },
    { label: t.containers.deleteDots, icon: Trash2, danger: true, onSelect: onDelete },
  ];
}

/** Links open the desktop app, and show this computer's engine. */
const leadsHere = ({ queries, shown }: App): boolean => shown === undefined && queries.getQueryData<HostInfo>(keys.hostInfo)?.mode === "electron";

/** An image that is gone says nothing any more: then all is written down. */
async function copyAs({ engine }: App, { id, name }: Target, write: (container: ContainerInspect, image?: ImageRunConfig) => string): Promise<void> {
  try {
    const container = await engine.containers.inspect(id);
    const image = await engine.images.inspect(container.Image).catch(() => undefined);
    const text = write(container, image?.Config);
    await navigator.clipboard.writeText(text);
    toastDone(t.containers.copied(text.split("\n")[0] ?? ""));
  } catch (error) {
    toastFailed(error, t.containers.copyFailed(name));
  }
}

async function exportFiles({ engine }: App, { id, name }: Target): Promise<void> {
  try {
    await saveStream(await engine.containers.export(id, new AbortController().signal), `${name}.tar`);
  } catch (error) {
    toastFailed(error, t.dialogs.exportFailed(name));
  }
}
