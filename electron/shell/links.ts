const scheme = "slipway://";
const lists = new Set(["containers", "images", "builds", "volumes", "networks", "compose", "logs", "engine", "settings", "trash"]);
const withObjects = new Set(["containers", "builds", "volumes", "networks", "compose"]);
const tabs = new Set(["logs", "inspect", "terminal", "files", "stats", "processes", "network", "events"]);
const objectForm = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$/;
const imageForm = /^[a-zA-Z0-9][a-zA-Z0-9._/:@-]{0,255}$/;

/**
 * The page's route for a `slipway://` link (`slipway://containers/web` is `#/containers/web`); undefined for anything
 * that is not on the list of pages. A link only ever shows something: `slipway://run?image=NAME` fills in the form to
 * run an image, and nothing runs until the person says so there.
 */
export function routeOf(link: string): string | undefined {
  const url = link.startsWith(scheme) ? URL.parse(link) : null;
  // What reading it changed (dot segments, signs that were not encoded) was meant to look like something else.
  if (url === null || url.href !== link || url.username !== "" || url.password !== "" || url.port !== "" || url.hash !== "") return undefined;
  const [page, [first, second, ...more]] = [url.hostname, url.pathname.split("/").filter(Boolean).map(decoded)];
  if (page === "run") return first === undefined ? runRoute(url.searchParams) : undefined;
  if (url.search !== "" || !lists.has(page)) return undefined;
  if (first === undefined) return `#/${page}`;
  if (page === "images") {
    const name = [first, second, ...more].filter((part) => part !== undefined).join("/");
    return imageForm.test(name) ? `#/images/${encodeURIComponent(name)}` : undefined;
  }
  if (!withObjects.has(page) || !objectForm.test(first) || more.length > 0) return undefined;
  if (second === undefined) return `#/${page}/${first}`;
  return page === "containers" && tabs.has(second) ? `#/containers/${first}/${second}` : undefined;
}

function runRoute(params: URLSearchParams): string | undefined {
  const [[key, image] = ["", ""], ...more] = [...params];
  return key === "image" && more.length === 0 && imageForm.test(image) ? `#/run/${encodeURIComponent(image)}` : undefined;
}

/** "" for what cannot be read, which no form lets through. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return "";
  }
}

/** The link among a program's arguments, as Windows and Linux pass it. */
export const linkIn = (argv: readonly string[]): string | undefined => argv.find((arg) => arg.startsWith(scheme));
