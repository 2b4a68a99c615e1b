import { ClipboardPaste } from "lucide-react";
import { useState } from "react";
import { type PastedRun, parseRunLine } from "#renderer/core/dockerrun.ts";
import { t } from "#renderer/core/texts.ts";
import { Button } from "#renderer/ui/button.tsx";
import { Field } from "#renderer/ui/field.tsx";

/** A `docker run` line that fills the form as soon as it is one; what has no field is named. */
export function RunPaste({ left, onPasted }: { readonly left: readonly string[]; readonly onPasted: (pasted: PastedRun) => void }) {
  const [open, setOpen] = useState(false);
  const [line, setLine] = useState("");
  const take = (text: string): void => {
    setLine(text);
    const pasted = parseRunLine(text);
    if (pasted === undefined || pasted.form.image === "") return;
    onPasted(pasted);
    setOpen(false);
    setLine("");
  };
  return (
    <div className="flex flex-col gap-1.5">
      {!open && (
        <Button small variant="ghost" icon={ClipboardPaste} className="self-end" onClick={() => setOpen(true)}>
          {t.run.paste}
        </Button>
      )}
      {open && (
        <Field label={t.run.paste} hint={t.run.pasteHint} error={line.trim() === "" ? undefined : t.run.pasteInvalid}>
          {({ id, "aria-describedby": described }) => (
            <textarea
              id={id}
              aria-describedby={described}
              autoFocus
              rows={3}
              spellCheck={false}
              placeholder="docker run -p 8080:80 nginx"
              value={line}
              onChange={(event) => take(event.target.value)}
              className="w-full resize-none rounded-md border border-line-strong bg-page px-2.5 py-1.5 font-mono text-sm text-fg focus:border-focus focus:outline-2 focus:-outline-offset-1 focus:outline-[var(--focus)]"
            />
          )}
        </Field>
      )}
      {left.length > 0 && (
        <div role="status" data-testid="run-left" className="rounded-md border border-line bg-warn-soft px-3 py-2 text-sm">
          {t.run.pasteLeft}
          <ul className="selectable font-mono">
            {left.map((flag) => (
              <li key={flag}>{flag}</li>
            ))}
          </ul>
        </div>
      )}
    </div>
  );
}
