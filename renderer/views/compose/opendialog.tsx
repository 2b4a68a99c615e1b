import { useState } from "react";
import { useLocation } from "wouter";
import { useApp } from "#renderer/appcontext.ts";
import { composeFilesOf } from "#renderer/core/composefile.ts";
import { explain, type Explanation } from "#renderer/core/explain.ts";
import { t } from "#renderer/core/texts.ts";
import { Button } from "#renderer/ui/button.tsx";
import { Dialog } from "#renderer/ui/dialog.tsx";
import { ErrorNotice } from "#renderer/ui/errornotice.tsx";
import { FolderPicker } from "#renderer/views/builds/folderpicker.tsx";
import { pathOfFiles } from "./source.ts";

/** Chooses the folder or the file of a project. */
export function OpenDialog({ onClose }: { readonly onClose: () => void }) {
  const { bridge } = useApp();
  const [, go] = useLocation();
  const [path, setPath] = useState("");
  const [failure, setFailure] = useState<Explanation>();
  const open = async (folder: string): Promise<void> => {
    try {
      const { entries, path: real } = await bridge.call("folders.list", { path: folder });
      const files = composeFilesOf(entries.filter(({ kind }) => kind === "file").map(({ name }) => name));
      if (files.length === 0) return setFailure({ title: t.compose.checkFailed, reason: t.compose.noFile, details: real });
      go(pathOfFiles(files.map((name) => `${real}/${name}`)));
    } catch (error) {
      setFailure(explain(error, t.compose.checkFailed));
    }
  };
  const browse = (to: string): void => {
    setFailure(undefined);
    setPath(to);
  };
  return (
    <Dialog title={t.compose.openTitle} width={600} testId="compose-open" onClose={onClose} footer={<Button onClick={onClose}>{t.common.cancel}</Button>}>
      <div className="flex flex-col gap-3">
        <p className="text-fg2">{t.compose.openText}</p>
        {failure !== undefined && <ErrorNotice explanation={failure} />}
        <FolderPicker
          path={path}
          onGo={browse}
          onChoose={(folder) => void open(folder)}
          onFile={(file) => go(pathOfFiles([file]))}
          chooseLabel={t.compose.openFolder}
        />
      </div>
    </Dialog>
  );
}
