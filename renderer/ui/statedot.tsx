import type { Tone } from "#renderer/core/containers.ts";
import { cx } from "./cx.ts";

const fills: Record<Tone, string> = {
  running: "bg-ok",
  paused: "bg-warn",
  busy: "bg-accent",
  idle: "border-[1.5px] border-idle",
  failed: "bg-danger",
};

/** The colour of a state; always beside its word, never alone. A state at rest is a ring, so shape tells too. */
export const StateDot = ({ tone }: { readonly tone: Tone }) => <span aria-hidden className={cx("inline-block size-2 shrink-0 rounded-full", fills[tone])} />;

const words: Record<Tone, string> = {
  running: "text-ok-text",
  paused: "text-warn-text",
  busy: "text-accent-text",
  idle: "text-fg2",
  failed: "text-danger-text",
};
export const toneText = (tone: Tone): string => words[tone];
