// What the launch entries decide, without doing it: pure functions of what was found on this computer.
// Dependency-free on purpose: they run under whatever Node a fresh machine has, before node_modules exists.

/** npm packages that differ from the lock file, by their path below the repository; optional ones may be absent. */
export function staleNpmPackages(lock, installed) {
  const have = installed?.packages ?? {};
  return Object.entries(lock.packages ?? {})
    .filter(([path, wanted]) => path.startsWith("node_modules/") && (path in have ? have[path].version !== wanted.version : !wanted.optional))
    .map(([path]) => path);
}

/** `{ id, like }` of /etc/os-release. */
export function parseOsRelease(text) {
  const value = (key) => new RegExp(`^${key}="?([^"\\n]*)"?$`, "m").exec(text)?.[1] ?? "";
  return { id: value("ID"), like: value("ID_LIKE").split(" ").filter(Boolean) };
}

/** Debian packages the app needs here, chromium apart. `arch` is Node's name for it. */
export function appPackages(arch, imagePackages) {
  const qemu = arch === "arm64" ? ["qemu-system-arm", "qemu-efi-aarch64"] : ["qemu-system-x86"];
  return [...new Set([...qemu, ...imagePackages])];
}

/** Ubuntu's chromium package is a snap in disguise, which cannot read the app's folders: there any browser found will do. */
export const chromiumPackages = (os) => (os.id === "debian" ? ["chromium", "fonts-dejavu-core"] : []);

/**
 * What to do about missing Debian packages: nothing, a command to run as it is, or a text for the person.
 * `sudo`: "none" there is no sudo, "silent" it asks nothing, "asks" it wants a password and there is a terminal to ask on.
 */
export function systemPackagePlan({ platform, os, missing, isRoot, sudo }) {
  if (missing.length === 0) return { kind: "nothing" };
  const install = ["apt-get", "-o", "DPkg::Lock::Timeout=600", "-o", "Dpkg::Use-Pty=0", "install", "-y", "--no-install-recommends", ...missing];
  const update = ["apt-get", "-o", "DPkg::Lock::Timeout=600", "update"];
  const debian = platform === "linux" && (os.id === "debian" || os.like.includes("debian"));
  if (!debian) return { kind: "tell", text: `These packages are needed, by the names your distribution gives them: ${missing.join(", ")}.` };
  if (isRoot) return { kind: "run", commands: [update, install] };
  if (sudo === "none") {
    return {
      kind: "tell",
      text: `These packages are missing and root may install them:\n\n  apt-get update && apt-get install -y --no-install-recommends ${missing.join(" ")}\n`,
    };
  }
  return { kind: "run", commands: [update, install].map((command) => ["sudo", ...(sudo === "silent" ? ["-n"] : []), ...command]), asks: sudo === "asks" };
}

/** What macOS and Windows need, in words: nothing is installed there behind anybody's back. */
export function foreignPlatformAdvice(platform, found) {
  const missing = [];
  if (platform === "darwin" && !found.qemu) missing.push("QEMU, which runs the virtual machine: brew install qemu");
  if (platform === "win32" && !found.wsl) missing.push("WSL 2, which runs the engine: wsl --install --no-distribution");
  if (!found.electron) missing.push("Electron's binary, which opens the window: npx install-electron");
  if (!found.image) missing.push("the system image: run `npm run image` on a Debian or Ubuntu machine and copy runtime-vm/image/out here");
  return missing;
}

/** How the app is opened, and in one line why, when it is not Electron. */
export function chooseWindow({ electron, chromium, display, isRoot }) {
  if (electron !== undefined && display) return { kind: "electron", binary: electron };
  const reason = electron === undefined ? "Electron's binary is not installed" : "there is no display";
  if (chromium === undefined) return { kind: "address", reason: `${reason}, and no Chromium or Chrome was found` };
  if (!display) return { kind: "address", reason: "there is no display" };
  return { kind: "chromium", reason, binary: chromium, args: chromiumArguments(isRoot) };
}

/** The browser as an app's window: its own profile, no calls home. As root it needs --no-sandbox to start at all. */
const chromiumArguments = (isRoot) => [
  "--no-first-run",
  "--no-default-browser-check",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  // Otherwise what a shell answers to a keystroke waits until the frame after it: 17 ms more for each echo.
  "--disable-features=DeferRendererTasksAfterInput",
  ...(isRoot ? ["--no-sandbox"] : []),
];
