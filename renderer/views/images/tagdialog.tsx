import { useState } from "react";
import { useApp } from "#renderer/appcontext.ts";
import { splitReference } from "#renderer/core/engine/engine.ts";
import { keys } from "#renderer/core/keys.ts";
import { t } from "#renderer/core/texts.ts";
import { AskDialog } from "#renderer/ui/askdialog.tsx";
import { Field, Input } from "#renderer/ui/field.tsx";

/** Another name for an image. */
export function TagDialog({ image, onClose }: { readonly image: string; readonly onClose: () => void }) {
  const { engine, queries } = useApp();
  const [name, setName] = useState("");
  const work = async (): Promise<void> => {
    const { fromImage, tag } = splitReference(name);
    await engine.images.tag(image, fromImage, tag);
    await queries.invalidateQueries({ queryKey: keys.images });
  };
  return (
    <AskDialog
      testId="tag-dialog"
      title={t.images.tagTitle(image)}
      verb={t.images.tagVerb}
      failed={t.images.tagFailed(image)}
      disabled={name === ""}
      work={work}
      onClose={onClose}
    >
      <Field label={t.images.tagName} hint={t.images.tagHint}>
        {(props) => <Input {...props} placeholder={t.images.pullPlaceholder} value={name} onChange={(event) => setName(event.target.value.trim())} />}
      </Field>
    </AskDialog>
  );
}
