import { Box, Hammer, Gauge, HardDrive, Layers, type LucideIcon, Network, ScrollText, Settings, Trash2, Workflow } from "lucide-react";
import { t } from "#renderer/core/texts.ts";

export interface Place {
  readonly path: string;
  readonly label: string;
  readonly icon: LucideIcon;
}

/** The pages in their order; Ctrl or Cmd with the number goes there. */
export const places = (): readonly Place[] => [
  { path: "/containers", label: t.nav.containers, icon: Box },
  { path: "/images", label: t.nav.images, icon: Layers },
  { path: "/builds", label: t.nav.builds, icon: Hammer },
  { path: "/volumes", label: t.nav.volumes, icon: HardDrive },
  { path: "/networks", label: t.nav.networks, icon: Network },
  { path: "/compose", label: t.nav.compose, icon: Workflow },
  { path: "/logs", label: t.nav.logs, icon: ScrollText },
  { path: "/engine", label: t.nav.engine, icon: Gauge },
  { path: "/settings", label: t.nav.settings, icon: Settings },
];

/** Without a number: it is there only where the engine has a trash. */
export const trashPlace = (): Place => ({ path: "/trash", label: t.trash.title, icon: Trash2 });

export const isMac = /Mac/.test(navigator.platform);
export const modifier = isMac ? "⌘" : "Ctrl+";
