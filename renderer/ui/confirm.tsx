import { type ReactNode, useState } from "react";
import { t } from "#renderer/core/texts.ts";
import { Button } from "./button.tsx";
import { Dialog } from "./dialog.tsx";
import { Field, Input } from "./field.tsx";

export interface ConfirmProps {
  readonly title: string;
  readonly children: ReactNode;
  /** The act with its object: "Delete 3 volumes". */
  readonly verb: string;
  /** Names of what is lost, listed when there are several. */
  readonly objects?: readonly string[];
  /** A word that must be typed first, for what loses data that nothing brings back. */
  readonly typed?: string;
  readonly onConfirm: () => Promise<unknown>;
  readonly onClose: () => void;
}

const listedMax = 8;

/** Asks before what cannot be undone. Focus starts on Cancel. */
export function Confirm({ title, children, verb, objects = [], typed, onConfirm, onClose }: ConfirmProps) {
  const [busy, setBusy] = useState(false);
  const [word, setWord] = useState("");
  const confirm = async (): Promise<void> => {
    setBusy(true);
    await onConfirm();
    onClose();
  };
  return (
    <Dialog
      alert
      width={440}
      title={title}
      onClose={onClose}
      testId="confirm"
      footer={
        <>
          <Button onClick={onClose} data-autofocus>
            {t.common.cancel}
          </Button>
          <Button variant="danger" busy={busy} disabled={typed !== undefined && word.trim() !== typed} onClick={() => void confirm()}>
            {verb}
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-2 text-fg2">{children}</div>
      {objects.length > 1 && (
        <ul className="mt-3 flex flex-col gap-1 rounded-md border border-line bg-sunken px-3 py-2 font-mono text-sm">
          {objects.slice(0, listedMax).map((name) => (
            <li key={name} className="truncate">
              {name}
            </li>
          ))}
          {objects.length > listedMax && <li className="text-fg3">+{objects.length - listedMax}</li>}
        </ul>
      )}
      {typed !== undefined && (
        <Field label={t.common.typed(typed)} className="mt-4">
          {({ invalid: _, ...field }) => <Input {...field} mono value={word} onChange={(event) => setWord(event.target.value)} />}
        </Field>
      )}
    </Dialog>
  );
}
