import { useState } from "react";
import { useApp } from "#renderer/appcontext.ts";
import type { UpdateLimits } from "#renderer/core/engine/engine.ts";
import { keys } from "#renderer/core/keys.ts";
import { t } from "#renderer/core/texts.ts";
import { toastDone } from "#renderer/core/toasts.ts";
import { AskDialog } from "#renderer/ui/askdialog.tsx";
import { Field, Input, Select } from "#renderer/ui/field.tsx";
import type { Target } from "./actions.ts";
import type { ContainerDialogName } from "./menuitems.ts";

interface DialogProps {
  readonly target: Target;
  readonly onClose: () => void;
}

export function ContainerDialog({ name, ...props }: DialogProps & { readonly name: ContainerDialogName }) {
  switch (name) {
    case "kill":
      return <KillDialog {...props} />;
    case "rename":
      return <RenameDialog {...props} />;
    case "limits":
      return <LimitsDialog {...props} />;
    case "commit":
      return <CommitDialog {...props} />;
  }
}

const signals = ["SIGKILL", "SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGSTOP", "SIGCONT", "SIGWINCH"];

function KillDialog({ target: { id, name }, onClose }: DialogProps) {
  const { engine } = useApp();
  const [signal, setSignal] = useState("SIGTERM");
  return (
    <AskDialog
      testId="container-dialog"
      title={t.dialogs.killTitle(name)}
      verb={t.dialogs.killVerb(signal)}
      failed={t.dialogs.signalFailed(name)}
      work={() => engine.containers.kill(id, signal)}
      onClose={onClose}
    >
      <Field label={t.dialogs.signal}>
        {({ id: field }) => (
          <Select id={field} value={signal} onChange={(event) => setSignal(event.target.value)}>
            {signals.map((one) => (
              <option key={one}>{one}</option>
            ))}
          </Select>
        )}
      </Field>
    </AskDialog>
  );
}

function RenameDialog({ target: { id, name }, onClose }: DialogProps) {
  const { engine } = useApp();
  const [to, setTo] = useState(name);
  return (
    <AskDialog
      testId="container-dialog"
      title={t.dialogs.renameTitle(name)}
      verb={t.dialogs.renameVerb}
      failed={t.dialogs.renameFailed(name)}
      disabled={to.trim() === "" || to.trim() === name}
      work={() => engine.containers.rename(id, to.trim())}
      onClose={onClose}
    >
      <Field label={t.common.name}>{(props) => <Input {...props} value={to} onChange={(event) => setTo(event.target.value)} />}</Field>
    </AskDialog>
  );
}

const MiB = 1024 * 1024;
/** Only what was typed is sent; without a swap limit of its own a memory limit takes as much swap along, as `docker run` has it. */
const limitsOf = (memory: string, cpus: string, pids: string): UpdateLimits => ({
  ...(memory === "" ? {} : { Memory: Number(memory) * MiB, MemorySwap: Number(memory) * 2 * MiB }),
  ...(cpus === "" ? {} : { NanoCpus: Math.round(Number(cpus) * 1e9) }),
  ...(pids === "" ? {} : { PidsLimit: Number(pids) }),
});

function LimitsDialog({ target: { id, name }, onClose }: DialogProps) {
  const { engine, queries } = useApp();
  const [memory, setMemory] = useState("");
  const [cpus, setCpus] = useState("");
  const [pids, setPids] = useState("");
  const wrong = {
    memory: memory !== "" && !(/^\d+$/.test(memory) && Number(memory) >= 6) ? t.formErrors.memoryMinimum : undefined,
    cpus: cpus !== "" && !(Number(cpus) >= 0.01) ? t.formErrors.cpusInvalid : undefined,
    pids: pids !== "" && !/^[1-9]\d*$/.test(pids) ? t.formErrors.pidsInvalid : undefined,
  };
  const change = async (): Promise<void> => {
    await engine.containers.update(id, limitsOf(memory, cpus, pids));
    await queries.invalidateQueries({ queryKey: keys.container(id) });
    toastDone(t.dialogs.limitsDone(name));
  };
  return (
    <AskDialog
      testId="container-dialog"
      title={t.dialogs.limitsTitle(name)}
      verb={t.dialogs.limitsVerb}
      failed={t.dialogs.limitsFailed(name)}
      disabled={(memory + cpus + pids).trim() === "" || Object.values(wrong).some((error) => error !== undefined)}
      work={change}
      onClose={onClose}
    >
      <p className="text-sm text-fg2">{t.dialogs.limitsHint}</p>
      <div className="grid grid-cols-3 gap-3">
        <Field label={t.run.memory} error={wrong.memory}>
          {(props) => (
            <Input {...props} inputMode="numeric" unit={t.run.memoryUnit} value={memory} onChange={(event) => setMemory(event.target.value.trim())} />
          )}
        </Field>
        <Field label={t.run.cpus} error={wrong.cpus}>
          {(props) => <Input {...props} inputMode="decimal" value={cpus} onChange={(event) => setCpus(event.target.value.trim())} />}
        </Field>
        <Field label={t.run.pidsLimit} error={wrong.pids}>
          {(props) => <Input {...props} inputMode="numeric" value={pids} onChange={(event) => setPids(event.target.value.trim())} />}
        </Field>
      </div>
    </AskDialog>
  );
}

function CommitDialog({ target: { id, name }, onClose }: DialogProps) {
  const { engine } = useApp();
  const [image, setImage] = useState("");
  const colon = image.lastIndexOf(":");
  const [repo, tag] = colon > image.lastIndexOf("/") ? [image.slice(0, colon), image.slice(colon + 1)] : [image, "latest"];
  const commit = async (): Promise<void> => {
    await engine.containers.commit(id, repo, tag);
    toastDone(t.dialogs.commitDone(`${repo}:${tag}`));
  };
  return (
    <AskDialog
      testId="container-dialog"
      title={t.dialogs.commitTitle(name)}
      verb={t.dialogs.commitVerb}
      failed={t.dialogs.commitFailed(name)}
      disabled={repo.trim() === ""}
      work={commit}
      onClose={onClose}
    >
      <Field label={t.run.image} hint={t.dialogs.commitHint}>
        {(props) => <Input {...props} placeholder={`${name}:1`} value={image} onChange={(event) => setImage(event.target.value.trim())} />}
      </Field>
    </AskDialog>
  );
}
