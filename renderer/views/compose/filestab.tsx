import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState } from "react";
import type { ComposeCheck, ComposeProjectSource } from "#api/compose.ts";
import { isClass } from "#base/errors.ts";
import type { SharedFile } from "#bridge/bridge.ts";
import { useApp } from "#renderer/appcontext.ts";
import { type FileProblem, problemAt, syntaxProblems } from "#renderer/core/composefile.ts";
import { explain } from "#renderer/core/explain.ts";
import { keys } from "#renderer/core/keys.ts";
import { t } from "#renderer/core/texts.ts";
import { toastDone } from "#renderer/core/toasts.ts";
import { Button } from "#renderer/ui/button.tsx";
import { CodeEditor, goToLine } from "#renderer/ui/codeeditor.tsx";
import { ErrorNotice } from "#renderer/ui/errornotice.tsx";
import { Reading } from "#renderer/ui/reading.tsx";
import { Segmented } from "#renderer/ui/tabs.tsx";

const nameOf = (path: string): string => path.slice(path.lastIndexOf("/") + 1);

/** The project's compose files as texts; what is typed is checked before it is saved. */
export function FilesTab({ source }: { readonly source: ComposeProjectSource }) {
  const { bridge } = useApp();
  const [path, setPath] = useState(source.files.at(-1) ?? "");
  const file = useQuery({
    queryKey: keys.hostFile(path),
    queryFn: () => bridge.call("files.read", { path }),
    staleTime: 0,
    gcTime: 0,
    retry: false,
    refetchOnMount: "always",
  });
  return (
    <div className="flex min-h-0 flex-1 flex-col gap-3 p-4">
      {source.files.length > 1 && (
        <Segmented label={t.compose.file.choose} choices={source.files.map((id) => ({ id, label: nameOf(id) }))} current={path} onSelect={setPath} />
      )}
      {file.isLoading && <Reading />}
      {file.error !== null && <ErrorNotice explanation={explain(file.error, t.compose.file.readFailed(nameOf(path)))} />}
      {file.data !== undefined && <Editor key={`${path} ${file.data.version}`} source={source} opened={file.data} onReload={() => void file.refetch()} />}
    </div>
  );
}

interface EditorProps {
  readonly source: ComposeProjectSource;
  readonly opened: SharedFile;
  readonly onReload: () => void;
}

function Editor({ source, opened, onReload }: EditorProps) {
  const { bridge } = useApp();
  const queries = useQueryClient();
  const [text, setText] = useState(opened.text);
  const [version, setVersion] = useState(opened.version);
  const [base, setBase] = useState(opened.text);
  const [failure, setFailure] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const area = useRef<HTMLTextAreaElement>(null);
  const checked = useTyped(source, opened.path, text);
  const byLine = useMemo(
    () => new Map(checked.problems.flatMap(({ line, message }) => (line === undefined ? [] : [[line, message] as const]))),
    [checked.problems],
  );
  const save = async (over: string): Promise<void> => {
    setBusy(true);
    setFailure(undefined);
    try {
      const saved = await bridge.call("files.write", { path: opened.path, text, version: over });
      setVersion(saved.version);
      setBase(saved.text);
      toastDone(t.compose.file.saved(nameOf(opened.path)));
      await queries.invalidateQueries({ queryKey: keys.composeCheck([]) });
    } catch (error) {
      setFailure(error);
    } finally {
      setBusy(false);
    }
  };
  const overwrite = async (): Promise<void> => save((await bridge.call("files.read", { path: opened.path })).version);
  return (
    <>
      {failure !== undefined && (
        <ErrorNotice explanation={explain(failure, t.compose.file.saveFailed(nameOf(opened.path)))}>
          {isClass(failure, "conflict") && (
            <>
              <Button small onClick={onReload}>
                {t.compose.file.reload}
              </Button>
              <Button small onClick={() => void overwrite()}>
                {t.compose.file.overwrite}
              </Button>
            </>
          )}
        </ErrorNotice>
      )}
      <CodeEditor ref={area} label={t.compose.file.label(nameOf(opened.path))} value={text} onChange={setText} problems={byLine} />
      <footer className="flex shrink-0 items-start gap-3">
        <Verdict checked={checked} onLine={(line) => goToLine(area.current, line)} />
        {text !== base && <span className="ml-auto text-sm leading-[30px] text-fg3">{t.compose.file.unsaved}</span>}
        <Button
          variant="primary"
          busy={busy}
          disabled={text === base}
          className={text === base ? "ml-auto" : ""}
          onClick={() => void save(version)}
          data-testid="compose-save"
        >
          {t.compose.file.save}
        </Button>
      </footer>
    </>
  );
}

interface Checked {
  readonly checking: boolean;
  readonly problems: readonly FileProblem[];
  readonly warnings: readonly string[];
  readonly services: number | undefined;
}

/** Typing that has come to rest is checked: as YAML here, as a project by docker compose. */
const restMs = 400;

function useTyped(source: ComposeProjectSource, path: string, text: string): Checked {
  const { engine } = useApp();
  const [resting, setResting] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setResting(text), restMs);
    return () => clearTimeout(timer);
  }, [text]);
  const syntax = useMemo(() => syntaxProblems(text), [text]);
  // What is typed stands for the last file: those over it are left out, since they cannot go under it.
  const files = source.files.slice(0, source.files.indexOf(path) + 1);
  const { data, error, isFetching } = useQuery<ComposeCheck>({
    queryKey: [...keys.composeCheck(source.files), "typed", path, resting],
    queryFn: () => engine.compose.check({ ...source, files: files.length === 0 ? [path] : files }, resting),
    enabled: syntax.length === 0,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 60_000,
    retry: false,
  });
  return useMemo(() => {
    if (syntax.length > 0) return { checking: false, problems: syntax, warnings: [], services: undefined };
    const words = error === null ? data?.error : error.message;
    return {
      checking: isFetching || resting !== text,
      problems: words === undefined ? [] : [problemAt(resting, words)],
      warnings: data?.warnings ?? [],
      services: data?.model === undefined ? undefined : Object.keys((data.model as { services?: object }).services ?? {}).length,
    };
  }, [syntax, data, error, isFetching, resting, text]);
}

function Verdict({ checked: { checking, problems, warnings, services }, onLine }: { readonly checked: Checked; readonly onLine: (line: number) => void }) {
  return (
    <div role="status" data-testid="compose-verdict" className="min-w-0 text-sm leading-[30px]">
      {problems.length === 0 && (
        <span className={checking ? "text-fg3" : "text-ok-text"}>
          {checking || services === undefined ? t.compose.file.checking : t.compose.file.valid(services)}
        </span>
      )}
      <ul className="flex flex-col leading-5">
        {problems.map(({ line, message }) => (
          <li key={`${line} ${message}`} className="text-danger-text [overflow-wrap:anywhere]">
            {line !== undefined && (
              <button type="button" onClick={() => onLine(line)} className="mr-2 rounded-sm font-medium underline">
                {t.compose.file.line(line)}
              </button>
            )}
            {message}
          </li>
        ))}
        {warnings.map((warning) => (
          <li key={warning} className="text-warn-text [overflow-wrap:anywhere]">
            {warning}
          </li>
        ))}
      </ul>
    </div>
  );
}
