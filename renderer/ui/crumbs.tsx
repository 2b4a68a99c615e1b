import { t } from "#renderer/core/texts.ts";

/** The directories above a path, each a way to it. */
export function Crumbs({ path, onGo }: { readonly path: string; readonly onGo: (path: string) => void }) {
  const parts = path.split("/").filter((part) => part !== "");
  const crumb = (label: string, to: string) => (
    <button key={to} type="button" onClick={() => onGo(to)} className="rounded-sm px-0.5 font-mono text-sm hover:underline">
      {label}
    </button>
  );
  return (
    <nav aria-label={t.files.path} className="flex min-w-0 items-center gap-0.5 overflow-hidden" data-testid="files-path">
      {crumb("/", "/")}
      {parts.map((part, index) => (
        <span key={parts.slice(0, index + 1).join("/")} className="flex items-center gap-0.5">
          {index > 0 && <span className="text-fg3">/</span>}
          {crumb(part, `/${parts.slice(0, index + 1).join("/")}`)}
        </span>
      ))}
    </nav>
  );
}
