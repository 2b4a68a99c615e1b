import type { MenuItemConstructorOptions } from "electron";

/**
 * The application menu by roles. macOS needs all of it (without the Edit roles copy and paste do not work there);
 * elsewhere it is hidden and gives the accelerators. Developer tools are for builds that are not packaged.
 */
export function applicationMenu(opts: { readonly platform: NodeJS.Platform; readonly packaged: boolean; readonly view: string }): MenuItemConstructorOptions[] {
  const mac = opts.platform === "darwin";
  const view: MenuItemConstructorOptions[] = [
    { role: "resetZoom" },
    { role: "zoomIn" },
    { role: "zoomOut" },
    { type: "separator" },
    { role: "togglefullscreen" },
  ];
  if (!opts.packaged) view.push({ type: "separator" }, { role: "reload" }, { role: "toggleDevTools" });
  return [
    ...(mac ? [{ role: "appMenu" } as const] : []),
    { role: "fileMenu" },
    { role: "editMenu" },
    { label: opts.view, submenu: view },
    { role: "windowMenu" },
  ];
}
