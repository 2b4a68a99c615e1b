import type { EngineAddress, EngineCheck } from "#bridge/bridge.ts";
import type { Explanation } from "./explain.ts";
import { t } from "./texts.ts";

/** An engine as it is typed. */
export interface EngineForm {
  readonly name: string;
  readonly url: string;
  readonly encrypted: boolean;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export const emptyEngineForm: EngineForm = { name: "", url: "", encrypted: true, ca: "", cert: "", key: "" };

const hasScheme = /^[a-z]+:\/\//;

/** `user@host` alone means ssh, `host:port` alone tcp, a path a socket: what was meant is hardly ever anything else. */
export function urlOf({ url }: Pick<EngineForm, "url">): string {
  const text = url.trim();
  if (text === "" || hasScheme.test(text)) return text;
  if (text.startsWith("/")) return `unix://${text}`;
  return /^[^@]+:\d+$/.test(text) ? `tcp://${text}` : `ssh://${text}`;
}

export const isTcp = (form: Pick<EngineForm, "url">): boolean => urlOf(form).startsWith("tcp://");

export function addressOf(form: EngineForm): EngineAddress {
  const url = urlOf(form);
  if (!isTcp(form) || !form.encrypted) return { url };
  const [ca, cert, key] = [form.ca.trim(), form.cert.trim(), form.key.trim()];
  return { url, tls: { ...(ca !== "" && { ca }), ...(cert !== "" && { cert }), ...(key !== "" && { key }) } };
}

/** The name it gets when none is typed: that of its computer. */
export const nameOf = (form: EngineForm): string => form.name.trim() || (/^[a-z]+:\/+(?:[^@/]*@)?([^/:]+)/.exec(urlOf(form))?.[1] ?? urlOf(form));

/** Why one was not reached, and what to do. */
export const notReached = ({ cause, words }: Extract<EngineCheck, { reached: false }>, name: string): Explanation => ({
  title: t.engines.notReached(name),
  reason: words,
  advice: t.engines.causes[cause],
  details: words,
});
