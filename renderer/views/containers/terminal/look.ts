import type { ITheme } from "@xterm/xterm";

const ansiNames = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"] as const;

/** The theme's colours as xterm wants them. */
export function terminalTheme(): ITheme {
  const style = getComputedStyle(document.documentElement);
  const value = (name: string): string => style.getPropertyValue(name).trim();
  const colors: Record<string, string> = {};
  ansiNames.forEach((name, index) => {
    colors[name] = value(`--ansi-${index}`);
    colors[`bright${name.charAt(0).toUpperCase()}${name.slice(1)}`] = value(`--ansi-${index + 8}`);
  });
  return {
    ...colors,
    background: value("--page"),
    foreground: value("--fg"),
    cursor: value("--accent-text"),
    cursorAccent: value("--page"),
    selectionBackground: value("--selection"),
  };
}

let realGpu: boolean | undefined;

/** WebGL drawn by the CPU is slower than the DOM: use it only on a GPU. */
export function hasRealGpu(): boolean {
  realGpu ??= probeGpu();
  return realGpu;
}

function probeGpu(): boolean {
  const gl = document.createElement("canvas").getContext("webgl2");
  if (gl === null) return false;
  const info = gl.getExtension("WEBGL_debug_renderer_info");
  const renderer = String(gl.getParameter(info?.UNMASKED_RENDERER_WEBGL ?? gl.RENDERER));
  gl.getExtension("WEBGL_lose_context")?.loseContext();
  return !/swiftshader|llvmpipe|software|basic render/i.test(renderer);
}
