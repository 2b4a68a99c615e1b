import { useState } from "react";
import { useApp } from "#renderer/appcontext.ts";
import { splitReference } from "#renderer/core/engine/engine.ts";
import { explain } from "#renderer/core/explain.ts";
import { keys } from "#renderer/core/keys.ts";
import { t } from "#renderer/core/texts.ts";
import { Button } from "#renderer/ui/button.tsx";
import { Dialog } from "#renderer/ui/dialog.tsx";
import { ErrorNotice } from "#renderer/ui/errornotice.tsx";
import { Field, Input } from "#renderer/ui/field.tsx";

/** Another name for an image. */
export function TagDialog({ image, onClose }: { readonly image: string; readonly onClose: () => void }) {
  const { engine, queries } = useApp();
  const [name, setName] = useState("");
  const [failure, setFailure] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const submit = async (): Promise<void> => {
    if (busy || name === "") return;
    setBusy(true);
    setFailure(undefined);
    try {
      const { fromImage, tag } = splitReference(name);
      await engine.images.tag(image, fromImage, tag);
      await queries.invalidateQueries({ queryKey: keys.images });
      onClose();
    } catch (error) {
      setFailure(error);
      setBusy(false);
    }
  };
  return (
    <Dialog
      title={t.images.tagTitle(image)}
      width={440}
      onClose={onClose}
      onSubmit={() => void submit()}
      testId="tag-dialog"
      footer={
        <>
          <Button onClick={onClose}>{t.common.cancel}</Button>
          <Button type="submit" variant="primary" busy={busy} disabled={name === ""}>
            {t.images.tagVerb}
          </Button>
        </>
      }
    >
      {failure !== undefined && <ErrorNotice explanation={explain(failure, t.images.tagFailed(image))} />}
      <Field label={t.images.tagName} hint={t.images.tagHint}>
        {(props) => <Input {...props} placeholder={t.images.pullPlaceholder} value={name} onChange={(event) => setName(event.target.value.trim())} />}
      </Field>
    </Dialog>
  );
}
