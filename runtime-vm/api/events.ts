/** One line of `GET /events` (API 1.51; `status`, `id`, `from` are the pre-1.22 fields that clients still read). */
export interface EventMessage {
  readonly status?: string;
  readonly id?: string;
  readonly from?: string;
  readonly Type: string;
  readonly Action: string;
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> };
  readonly scope: "local" | "swarm";
  readonly time: number;
  readonly timeNano: number;
}
