import type { Readable } from "node:stream";
import type { PostedMessage } from "#api/builds.ts";

/** What `POST /build` asks of BuildKit (`version=2`): the frontend's attributes and where the result goes. */
export interface PostedBuild {
  /** The client's own name for it, by which it is cancelled; "": none. `upload-request:ID`: only the context of that build. */
  readonly id: string;
  /** Of the client's services; "": it offers none. */
  readonly session: string;
  /** An address of the context, `client-session` or `upload-request`; "": the body. */
  readonly remote: string;
  readonly attributes: ReadonlyMap<string, string>;
  /** Empty: an image of these names. */
  readonly outputs: readonly { readonly type: string; readonly attributes: ReadonlyMap<string, string> }[];
  readonly names: readonly string[];
  /** References of images with caches. */
  readonly cacheFrom: readonly string[];
  readonly inlineCache: boolean;
  readonly entitlements: readonly string[];
  /** Nothing is told but the image's id. */
  readonly quiet: boolean;
  readonly squash: boolean;
  readonly body: Readable;
  readonly signal: AbortSignal;
}

export interface PostedBuilds {
  /** Rejects where nothing was begun; later a failure is the last message. A reader who leaves ends the build. */
  start(build: PostedBuild): Promise<AsyncIterable<PostedMessage>>;
  /** Ends the build of that name, if there is one. */
  cancel(id: string): void;
}
