import type { HealthConfig } from "#api/oci.ts";
import type { Heredoc } from "./heredoc.ts";
import type { SourceNode } from "./source.ts";

interface Of<Kind extends string> {
  readonly kind: Kind;
  readonly node: SourceNode;
}

interface OfValue<Kind extends string> extends Of<Kind> {
  readonly value: string;
}

/** A command as a list, or as a line for the shell. */
export interface CommandLine {
  readonly words: readonly string[];
  readonly shell: boolean;
  readonly heredocs: readonly Heredoc[];
}

export interface KeyValue {
  readonly key: string;
  readonly value: string;
}

export interface ArgDeclaration {
  readonly key: string;
  /** Undefined: without a default. */
  readonly value: string | undefined;
}

/** `--mount` of a RUN, its values not expanded yet. */
export interface MountFlag {
  readonly text: string;
}

export interface FromInstruction extends Of<"from"> {
  readonly base: string;
  /** Lower case; "" without a name. */
  readonly name: string;
  readonly platform: string;
}

export interface CopyInstruction extends Of<"copy" | "add"> {
  readonly sources: readonly string[];
  readonly files: readonly Heredoc[];
  readonly destination: string;
  readonly from: string;
  readonly chown: string;
  readonly chmod: string;
  readonly link: boolean;
  readonly parents: boolean;
  readonly excludes: readonly string[];
  /** ADD only. */
  readonly checksum: string;
  readonly keepGitDir: boolean | undefined;
  readonly unpack: boolean | undefined;
}

export interface RunInstruction extends Of<"run"> {
  readonly command: CommandLine;
  readonly mounts: readonly MountFlag[];
  readonly network: string;
  /** `insecure`: with the rights of a privileged container. */
  readonly security: string;
  readonly devices: readonly string[];
}

export type Instruction =
  | FromInstruction
  | CopyInstruction
  | RunInstruction
  | (Of<"arg"> & { readonly args: readonly ArgDeclaration[] })
  | (Of<"env"> & { readonly pairs: readonly KeyValue[] })
  | (Of<"label"> & { readonly pairs: readonly KeyValue[] })
  | (Of<"cmd" | "entrypoint"> & { readonly command: CommandLine })
  | (Of<"shell"> & { readonly words: readonly string[] })
  | (Of<"expose"> & { readonly ports: readonly string[] })
  | (Of<"volume"> & { readonly paths: readonly string[] })
  | OfValue<"user">
  | OfValue<"workdir">
  | OfValue<"stopsignal">
  | OfValue<"maintainer">
  | (Of<"healthcheck"> & { readonly health: HealthConfig })
  | (Of<"onbuild"> & { readonly expression: string });

export type InstructionKind = Instruction["kind"];
export type InstructionOf<Kind extends InstructionKind> = Extract<Instruction, { kind: Kind }>;

/** FROM and what comes after it, up to the next one. */
export interface Stage {
  readonly from: FromInstruction;
  readonly instructions: readonly Exclude<Instruction, FromInstruction>[];
}

export interface Dockerfile {
  /** ARGs before the first FROM. */
  readonly globals: readonly InstructionOf<"arg">[];
  readonly stages: readonly Stage[];
}
