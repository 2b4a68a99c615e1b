import { ArrowDownToLine, ArrowUpFromLine, Play, RotateCw, Scaling, Square, Trash2 } from "lucide-react";
import { useState } from "react";
import { useStore } from "zustand";
import type { ComposeProjectSource } from "#api/compose.ts";
import { useApp } from "#renderer/appcontext.ts";
import type { ComposeProject, ComposeService } from "#renderer/core/compose.ts";
import { actOptions } from "#renderer/core/composeruns.ts";
import { t } from "#renderer/core/texts.ts";
import { useEngineUp } from "#renderer/queries.ts";
import { AskDialog } from "#renderer/ui/askdialog.tsx";
import { Button, IconButton } from "#renderer/ui/button.tsx";
import { Field, Input } from "#renderer/ui/field.tsx";
import { useContainerActions } from "#renderer/views/containers/actions.ts";
import { startable, stoppable } from "#renderer/views/containers/members.tsx";
import { UpDialog } from "./updialog.tsx";

export interface ProjectActsProps {
  readonly name: string;
  readonly project: ComposeProject | undefined;
  /** Undefined where the engine cannot read its files. */
  readonly source: ComposeProjectSource | undefined;
  readonly onDown: () => void;
}

/** What can be done with a project as a whole. */
export function ProjectActs({ name, project, source, onDown }: ProjectActsProps) {
  const { composeRuns } = useApp();
  const actions = useContainerActions();
  const up = useEngineUp();
  const [asking, setAsking] = useState(false);
  const busy = useStore(composeRuns.store, ({ list }) => list.some((run) => run.project === name && run.state.kind === "running"));
  const members = project?.members ?? [];
  const [toStart, toStop] = [startable(members), stoppable(members)];
  return (
    <div className="ml-auto flex gap-1.5">
      {source !== undefined && (
        <IconButton
          icon={ArrowDownToLine}
          label={t.compose.pull}
          disabled={!up || busy}
          onClick={() => void composeRuns.start(name, source, actOptions("pull"))}
          className="size-[30px]"
        />
      )}
      <Button icon={Play} disabled={!up || toStart.length === 0} onClick={() => void actions.run("start", toStart)}>
        {t.containers.start}
      </Button>
      <Button icon={Square} disabled={!up || toStop.length === 0} onClick={() => void actions.run("stop", toStop)}>
        {t.containers.stop}
      </Button>
      <Button icon={RotateCw} disabled={!up || toStop.length === 0} onClick={() => void actions.run("restart", toStop)}>
        {t.containers.restart}
      </Button>
      {project !== undefined && (
        <Button icon={Trash2} disabled={!up || busy} className="text-danger-text" onClick={onDown} data-testid="compose-down">
          {t.compose.down}
        </Button>
      )}
      {source !== undefined && (
        <Button icon={ArrowUpFromLine} variant="primary" disabled={!up || busy} onClick={() => setAsking(true)} data-testid="compose-up-open">
          {t.compose.up}
        </Button>
      )}
      {asking && source !== undefined && <UpDialog name={name} source={source} onClose={() => setAsking(false)} />}
    </div>
  );
}

/** What can be done with one service. */
export function ServiceActs({
  project,
  source,
  service,
}: {
  readonly project: string;
  readonly source: ComposeProjectSource | undefined;
  readonly service: ComposeService;
}) {
  const actions = useContainerActions();
  const up = useEngineUp();
  const [scaling, setScaling] = useState(false);
  const { name, members } = service;
  const [toStart, toStop] = [startable(members), stoppable(members)];
  return (
    <span className="flex whitespace-nowrap">
      <IconButton icon={Play} label={t.compose.startService(name)} disabled={!up || toStart.length === 0} onClick={() => void actions.run("start", toStart)} />
      <IconButton icon={Square} label={t.compose.stopService(name)} disabled={!up || toStop.length === 0} onClick={() => void actions.run("stop", toStop)} />
      <IconButton
        icon={RotateCw}
        label={t.compose.restartService(name)}
        disabled={!up || toStop.length === 0}
        onClick={() => void actions.run("restart", toStop)}
      />
      {source !== undefined && <IconButton icon={Scaling} label={t.compose.scale(name)} disabled={!up} onClick={() => setScaling(true)} />}
      {scaling && source !== undefined && <ScaleDialog project={project} source={source} service={service} onClose={() => setScaling(false)} />}
    </span>
  );
}

interface ScaleProps {
  readonly project: string;
  readonly source: ComposeProjectSource;
  readonly service: ComposeService;
  readonly onClose: () => void;
}

const scaleMax = 1_000;

function ScaleDialog({ project, source, service: { name, members }, onClose }: ScaleProps) {
  const { composeRuns } = useApp();
  const [text, setText] = useState(String(members.length));
  const count = Number(text);
  const isFine = /^\d+$/.test(text) && count <= scaleMax;
  const scale = async (): Promise<void> => void composeRuns.start(project, source, actOptions("scale", { scale: { [name]: count } }));
  return (
    <AskDialog
      testId="compose-scale"
      title={t.compose.scaleTitle(name)}
      verb={t.compose.scaleVerb}
      failed={t.compose.scaleTitle(name)}
      disabled={!isFine || count === members.length}
      work={scale}
      onClose={onClose}
    >
      <Field label={t.compose.scaleLabel} hint={t.compose.scaleHint}>
        {({ invalid: _, ...field }) => (
          <Input {...field} type="number" min={0} max={scaleMax} value={text} data-autofocus onChange={(event) => setText(event.target.value)} />
        )}
      </Field>
    </AskDialog>
  );
}
