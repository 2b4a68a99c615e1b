import { Bookmark, BookmarkPlus, BookmarkX } from "lucide-react";
import { useState } from "react";
import type { LogQuestion } from "#renderer/core/logs/found.ts";
import { readPref, writePref } from "#renderer/core/prefs.ts";
import { t } from "#renderer/core/texts.ts";
import { IconButton } from "#renderer/ui/button.tsx";
import { Menu, type MenuItem } from "#renderer/ui/menu.tsx";

const savedMax = 20;
const pref = "logs.saved";

/** A search in a few words: what it is known by. */
function shortOf({ text, regex, level, containers, field }: LogQuestion): string {
  const words = text === "" ? t.logSearch.anyText : regex ? `/${text}/` : `“${text}”`;
  return [words, ...(level === "" ? [] : [t.logSearch.levels[level]]), ...(field === "" ? [] : [field]), ...containers].join(" · ");
}

/** Searches that were kept, newest first. */
export function SavedSearches({ question, onChoose }: { readonly question: LogQuestion; readonly onChoose: (question: LogQuestion) => void }) {
  const [saved, setSaved] = useState<readonly LogQuestion[]>(() => readPref(pref, []));
  const [at, setAt] = useState<{ readonly x: number; readonly y: number; readonly alignRight: true }>();
  const keep = (next: readonly LogQuestion[]): void => {
    writePref(pref, next);
    setSaved(next);
  };
  const own = shortOf(question);
  const others = saved.filter((one) => shortOf(one) !== own);
  const kept = others.length < saved.length;
  const items: MenuItem[] = [
    kept
      ? { label: t.logSearch.forget(own), icon: BookmarkX, onSelect: () => keep(others) }
      : { label: t.logSearch.save(own), icon: BookmarkPlus, onSelect: () => keep([question, ...saved].slice(0, savedMax)) },
    ...(others.length === 0 ? [] : [{ kind: "line" } as const]),
    ...others.map((one) => ({ label: shortOf(one), onSelect: () => onChoose(one) })),
  ];
  return (
    <>
      <IconButton
        icon={Bookmark}
        label={t.logSearch.saved}
        pressed={kept}
        aria-haspopup="menu"
        onClick={(event) => {
          const { right, bottom } = event.currentTarget.getBoundingClientRect();
          setAt({ x: right, y: bottom + 4, alignRight: true });
        }}
      />
      {at !== undefined && <Menu label={t.logSearch.saved} at={at} onClose={() => setAt(undefined)} items={items} />}
    </>
  );
}
