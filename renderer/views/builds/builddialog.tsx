import { FolderOpen } from "lucide-react";
import { useState } from "react";
import { useLocation } from "wouter";
import type { BuildOptions } from "#api/builds.ts";
import { isClass } from "#base/errors.ts";
import { useApp } from "#renderer/appcontext.ts";
import { type BuildForm, buildFormOf, buildMistakes, buildOptionsOf } from "#renderer/core/buildform.ts";
import { buildName } from "#renderer/core/builds.ts";
import { explain } from "#renderer/core/explain.ts";
import { t } from "#renderer/core/texts.ts";
import { useFolder } from "#renderer/queries.ts";
import { Button } from "#renderer/ui/button.tsx";
import { Dialog } from "#renderer/ui/dialog.tsx";
import { ErrorNotice } from "#renderer/ui/errornotice.tsx";
import { Checkbox, Field, Input, TextArea } from "#renderer/ui/field.tsx";
import { FolderPicker } from "./folderpicker.tsx";

/** What to build; once the engine has the folder, the build's own page takes over. */
export function BuildDialog({ options, onClose }: { readonly options: BuildOptions | undefined; readonly onClose: () => void }) {
  const { builds } = useApp();
  const [, go] = useLocation();
  const [form, setForm] = useState(() => buildFormOf(options));
  const [tried, setTried] = useState(false);
  const [sending, setSending] = useState<number>();
  const [failure, setFailure] = useState<unknown>();
  const [browsed, browse] = useState<string>();
  const mistakes = tried ? buildMistakes(form) : {};
  const set = (part: Partial<BuildForm>): void => setForm({ ...form, ...part });
  const submit = async (): Promise<void> => {
    setTried(true);
    setFailure(undefined);
    if (sending !== undefined || Object.keys(buildMistakes(form)).length > 0) return;
    const { id, begun } = builds.start(buildOptionsOf(form));
    setSending(id);
    try {
      go(`/builds/${await begun}`);
    } catch (error) {
      setSending(undefined);
      if (!isClass(error, "cancelled")) setFailure(error);
    }
  };
  const close = (): void => {
    if (sending !== undefined) builds.cancel(sending);
    onClose();
  };
  const text = (field: "dockerfile" | "tags" | "target" | "platform", label: string, hint: string, placeholder = "") => (
    <Field label={label} hint={hint} error={mistakes[field]}>
      {(props) => (
        <Input
          {...props}
          mono
          list={field === "dockerfile" ? "dockerfiles" : undefined}
          placeholder={placeholder}
          value={form[field]}
          onChange={(event) => set({ [field]: event.target.value })}
        />
      )}
    </Field>
  );
  return (
    <Dialog
      title={t.builds.formTitle}
      width={600}
      testId="build-dialog"
      onClose={close}
      onSubmit={() => void submit()}
      footer={
        <>
          {sending !== undefined && <p className="mr-auto text-fg2">{t.builds.sending}</p>}
          <Button onClick={close}>{t.common.cancel}</Button>
          <Button type="submit" variant="primary" busy={sending !== undefined} data-testid="build-submit">
            {t.builds.form.submit}
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-3">
        {failure !== undefined && <ErrorNotice explanation={explain(failure, t.builds.failedTitle(buildName({ options: buildOptionsOf(form) })))} />}
        <Field label={t.builds.form.folder} hint={t.builds.form.folderHint} error={mistakes.folder}>
          {(props) => (
            <div className="flex gap-2">
              <Input {...props} mono data-autofocus placeholder="/home/me/app" value={form.folder} onChange={(event) => set({ folder: event.target.value })} />
              <Button icon={FolderOpen} aria-expanded={browsed !== undefined} onClick={() => browse(browsed === undefined ? form.folder.trim() : undefined)}>
                {t.builds.form.browse}
              </Button>
            </div>
          )}
        </Field>
        {browsed !== undefined && (
          <FolderPicker
            path={browsed}
            onGo={browse}
            onChoose={(folder) => {
              set({ folder });
              browse(undefined);
            }}
          />
        )}
        <Dockerfiles folder={form.folder.trim()} />
        <div className="grid grid-cols-2 gap-3">
          {text("tags", t.builds.form.tag, t.builds.form.tagHint, "name:tag")}
          {text("dockerfile", t.builds.form.dockerfile, t.builds.form.dockerfileHint)}
          {text("target", t.builds.form.target, t.builds.form.targetHint)}
          {text("platform", t.builds.form.platform, t.builds.form.platformHint, "linux/amd64")}
        </div>
        <Field label={t.builds.form.args} hint={t.builds.form.argsHint} error={mistakes.args}>
          {(props) => <TextArea {...props} rows={2} placeholder="VERSION=1.2" value={form.args} onChange={(event) => set({ args: event.target.value })} />}
        </Field>
        <div className="flex flex-wrap gap-x-5 gap-y-2">
          <label className="flex items-center gap-2">
            <Checkbox checked={form.noCache} onChange={(event) => set({ noCache: event.target.checked })} /> {t.builds.form.noCache}
          </label>
          <label className="flex items-center gap-2">
            <Checkbox checked={form.pull} onChange={(event) => set({ pull: event.target.checked })} /> {t.builds.form.pull}
          </label>
        </div>
      </div>
    </Dialog>
  );
}

/** Files of the folder that look like Dockerfiles, offered where one is typed. */
function Dockerfiles({ folder }: { readonly folder: string }) {
  const { data } = useFolder(/^(\/|[A-Za-z]:\\)/.test(folder) ? folder : undefined);
  const names = (data?.entries ?? []).filter(
    ({ kind, name }) => kind === "file" && /^(?:Dockerfile|Containerfile)|\.Dockerfile$/i.test(name) && !name.endsWith(".dockerignore"),
  );
  return (
    <datalist id="dockerfiles">
      {names.map(({ name }) => (
        <option key={name} value={name} />
      ))}
    </datalist>
  );
}
