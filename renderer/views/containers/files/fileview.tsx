import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { FileEntry } from "#api/files.ts";
import { type FilePlace, joinPath, readText, textBytesMax, type TextFile, writeFile } from "#renderer/core/containerfiles.ts";
import { explain } from "#renderer/core/explain.ts";
import { memory } from "#renderer/core/format.ts";
import { keys } from "#renderer/core/keys.ts";
import { t } from "#renderer/core/texts.ts";
import { toastDone } from "#renderer/core/toasts.ts";
import { Button } from "#renderer/ui/button.tsx";
import { Dialog } from "#renderer/ui/dialog.tsx";
import { ErrorNotice } from "#renderer/ui/errornotice.tsx";
import { Reading } from "#renderer/ui/reading.tsx";

export interface FileViewProps {
  readonly place: FilePlace;
  readonly directory: string;
  readonly entry: FileEntry;
  readonly onClose: () => void;
  readonly onSaved: () => void;
}

/** A file as text, to read and to edit. Never anything else as text. */
export function FileView(props: FileViewProps) {
  const { place, directory, entry, onClose } = props;
  const path = joinPath(directory, entry.name);
  const { data, error, isLoading } = useQuery({
    queryKey: keys.fileText(place.id, path),
    queryFn: async ({ signal }) => (entry.size > textBytesMax ? null : ((await readText(place, path, signal)) ?? null)),
    staleTime: 0,
    gcTime: 0,
    retry: false,
    refetchOnMount: "always",
  });
  if (data !== undefined && data !== null) return <Editor {...props} path={path} opened={data} />;
  return (
    <Dialog title={path} width={760} onClose={onClose} testId="file-view" footer={<Button onClick={onClose}>{t.common.close}</Button>}>
      {isLoading && <Reading />}
      {error !== null && <ErrorNotice explanation={explain(error, t.files.readFailed(path))} />}
      {data === null && <p className="text-fg2">{t.files.notText(memory(textBytesMax))}</p>}
    </Dialog>
  );
}

function Editor({ place, directory, entry, path, opened, onClose, onSaved }: FileViewProps & { readonly path: string; readonly opened: TextFile }) {
  const [text, setText] = useState(opened.text);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<unknown>();
  /** The time of writing that saving may replace. */
  const [known, setKnown] = useState(entry.mtime);
  const [conflict, setConflict] = useState(false);

  const save = async (): Promise<void> => {
    setBusy(true);
    setFailure(undefined);
    try {
      const now = (await place.list(directory)).entries.find(({ name }) => name === entry.name);
      setConflict(now !== undefined && now.mtime !== known);
      if (now !== undefined && now.mtime !== known) return setKnown(now.mtime);
      const file = { ...opened.file, name: entry.name, bytes: new TextEncoder().encode(text) };
      await writeFile(place, directory, file, Date.now());
      toastDone(t.files.saved(entry.name));
      onSaved();
      onClose();
    } catch (error) {
      setFailure(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Dialog
      title={path}
      width={760}
      onClose={onClose}
      onSubmit={() => void save()}
      testId="file-view"
      footer={
        <>
          {conflict && (
            <p role="alert" className="mr-auto text-sm text-danger-text">
              {t.files.conflict}
            </p>
          )}
          <Button onClick={onClose}>{t.common.close}</Button>
          <Button type="submit" variant="primary" busy={busy} disabled={text === opened.text}>
            {t.files.save}
          </Button>
        </>
      }
    >
      {failure !== undefined && <ErrorNotice explanation={explain(failure, t.files.saveFailed(entry.name))} />}
      <textarea
        aria-label={t.files.contents(entry.name)}
        spellCheck={false}
        value={text}
        onChange={(event) => setText(event.target.value)}
        className="h-[55vh] w-full resize-none rounded-md border border-line-strong bg-page p-3 font-mono text-sm leading-5 text-fg focus:border-focus focus:outline-2 focus:-outline-offset-1 focus:outline-[var(--focus)]"
      />
    </Dialog>
  );
}
