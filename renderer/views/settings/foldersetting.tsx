import { Folder, Plus, X } from "lucide-react";
import { type FormEvent, useState } from "react";
import { t } from "#renderer/core/texts.ts";
import { Button, IconButton } from "#renderer/ui/button.tsx";
import { Input } from "#renderer/ui/field.tsx";
import { Middle } from "#renderer/ui/middle.tsx";
import { Searchable } from "./section.tsx";

export interface FolderSettingProps {
  readonly folders: readonly string[];
  readonly defaults: readonly string[];
  readonly onChange: (folders: readonly string[]) => void;
}

const absolute = /^(\/+[^/]|[A-Za-z]:[\\/].)/;

/** The folders of this computer that containers may mount: a list, a cross for each, a field for one more. */
export function FolderSetting({ folders, defaults, onChange }: FolderSettingProps) {
  const [text, setText] = useState("");
  const path = text.trim();
  const wrong = path !== "" && !absolute.test(path);
  const add = (event: FormEvent): void => {
    event.preventDefault();
    if (path === "" || wrong) return;
    onChange([...folders.filter((folder) => folder !== path), path]);
    setText("");
  };
  return (
    <Searchable text={`${t.settings.folders} ${t.settings.foldersHint}`}>
      <div className="flex flex-col gap-2 py-3">
        <div>
          <p>{t.settings.folders}</p>
          <p className="text-sm text-fg3">
            {t.settings.foldersHint} {t.settings.default(defaults.join(", "))}
          </p>
        </div>
        {folders.length === 0 && <p className="text-sm text-warn-text">{t.settings.foldersNone}</p>}
        <ul aria-label={t.settings.folders} className="flex flex-col gap-1">
          {folders.map((folder) => (
            <li key={folder} className="flex h-[30px] items-center gap-2 rounded-md bg-sunken pr-1 pl-2.5">
              <Folder size={14} aria-hidden className="shrink-0 text-fg3" />
              <span className="min-w-0 flex-1 font-mono text-sm">
                <Middle text={folder} />
              </span>
              <IconButton small icon={X} label={t.settings.folderRemove(folder)} onClick={() => onChange(folders.filter((other) => other !== folder))} />
            </li>
          ))}
        </ul>
        <form onSubmit={add} className="flex items-start gap-2">
          <div className="min-w-0 flex-1">
            <Input
              mono
              aria-label={t.settings.folderNew}
              placeholder={t.settings.folderNew}
              invalid={wrong}
              value={text}
              onChange={(event) => setText(event.target.value)}
            />
            {wrong && (
              <p role="alert" className="mt-1 text-sm text-danger-text">
                {t.settings.folderInvalid}
              </p>
            )}
          </div>
          <Button type="submit" icon={Plus} disabled={path === "" || wrong}>
            {t.settings.folderAdd}
          </Button>
        </form>
      </div>
    </Searchable>
  );
}
