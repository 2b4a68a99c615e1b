import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { EngineError } from "#base/errors.ts";
import type { GitAddress } from "./git-address.ts";
import { type GitAccess, type GitRan, runGit } from "./git-sandbox.ts";
import { RootTree } from "./root-tree.ts";
import { type FileTree, joined, type TreeEntry } from "./tree.ts";

/** What an address means at the moment. */
export interface GitCommit {
  readonly address: GitAddress;
  /** What is asked of the repository: a whole name of a branch or tag, or a commit. */
  readonly want: string;
  readonly sha: string;
}

/** git gave up. */
export class GitFailed extends EngineError {
  readonly stderr: string;
  readonly exitCode: number;
  constructor(what: string, { stderr, code }: GitRan) {
    super("invalidArgument", `${what}: git stderr:\n${stderr}: exit status ${code}`);
    this.stderr = stderr;
    this.exitCode = code;
  }
}

/** The repository has no such branch, tag or commit. */
export class GitRefMissing extends EngineError {
  readonly ref: string;
  constructor(ref: string) {
    super("invalidArgument", `repository does not contain ref ${ref}, output: ""`);
    this.ref = ref;
  }
}

/** The commit has no such directory. */
export class GitSubdirMissing extends EngineError {}

const commitSha = /^([0-9a-f]{40}|[0-9a-f]{64})$/;

/** Asks the repository which commit is meant. */
export async function resolveCommit(access: GitAccess, address: GitAddress): Promise<GitCommit> {
  const { remote, ref, checksum } = address;
  if (checksum !== "" && !/^[0-9a-f]{1,64}$/i.test(checksum)) {
    throw new EngineError("invalidArgument", `invalid checksum ${checksum} for Git URL, expected hex commit hash`);
  }
  const found = commitSha.test(ref) ? { want: ref, sha: ref } : named(ref, await lsRemote(access, remote, ref));
  if (found === undefined) throw new GitRefMissing(ref === "" ? "HEAD" : ref);
  if (!found.sha.startsWith(checksum.toLowerCase())) throw new EngineError("invalidArgument", `expected checksum to match ${checksum}, got ${found.sha}`);
  return { address, ...found };
}

async function lsRemote(access: GitAccess, remote: string, ref: string): Promise<Map<string, string>> {
  const wanted = ref === "" ? ["HEAD"] : [ref, `${ref}^{}`];
  const ran = await inDirectory(access, remote, {
    script: 'exec git ls-remote --symref -- "$@"',
    args: [remote, ...wanted],
    take: (_, done) => Promise.resolve(done),
  });
  const what = ref === "" ? `error fetching default branch for repository ${redacted(remote)}` : `failed to fetch remote ${redacted(remote)}`;
  if (ran.code !== 0) throw new GitFailed(what, ran);
  return new Map(
    ran.stdout.split("\n").flatMap((line) => {
      const [value = "", name] = line.split("\t");
      return name === undefined ? [] : [[value.startsWith("ref: ") ? "branch" : name, value.replace(/^ref: /, "")] as const];
    }),
  );
}

/** Branches go before tags of the same name; a tag with a message stands for its commit. */
function named(ref: string, listed: ReadonlyMap<string, string>): Pick<GitCommit, "want" | "sha"> | undefined {
  if (ref === "") {
    const sha = listed.get("HEAD");
    return sha === undefined ? undefined : { want: listed.get("branch") ?? "HEAD", sha };
  }
  for (const want of [`refs/${ref.replace(/^refs\//, "")}`, `refs/heads/${ref}`, `refs/tags/${ref}`]) {
    const sha = listed.get(`${want}^{}`) ?? listed.get(want);
    if (sha !== undefined) return { want, sha };
  }
  return undefined;
}

const fetchScript = `set -e
want=$2 sha=$3 keep=$4 submodules=$5
git init -q
git config core.logAllRefUpdates false
git remote add origin "$1"
case $want in refs/*) spec="+$want:$want";; *) spec=$want;; esac
if ! git fetch -u --depth=1 --no-tags origin "$spec" || [ "$(git rev-parse -q --verify 'FETCH_HEAD^{commit}')" != "$sha" ]; then
  # No server of the shallow kind, or what is wanted is no tip, or it has moved since.
  [ ! -f .git/shallow ] || unshallow=--unshallow
  git fetch -u --force --tags $unshallow origin '+refs/heads/*:refs/remotes/origin/*'
fi
git checkout -q --detach "$sha"
if [ "$submodules" = 1 ] && [ -f .gitmodules ]; then git submodule--helper update --init --recursive --depth=1 --; fi
rm -f .git/FETCH_HEAD .git/ORIG_HEAD
[ "$keep" = 1 ] || rm -rf .git
`;

/** The commit's files, all of them root's, until it is disposed. */
export async function checkout(
  access: GitAccess,
  { address, want, sha }: GitCommit,
  { keepGitDir }: { keepGitDir: boolean },
): Promise<FileTree & AsyncDisposable> {
  const { remote, subdir, submodules } = address;
  const bit = (yes: boolean): string => (yes ? "1" : "0");
  return await inDirectory(access, remote, {
    script: fetchScript,
    args: [remote, want, sha, bit(keepGitDir), bit(submodules)],
    take: async (directory, ran) => {
      if (ran.code !== 0) throw new GitFailed(`failed to fetch remote ${redacted(remote)}`, ran);
      const root = new RootTree(directory.path, access.backends.kernel);
      checkSubdir(root, subdir);
      return await Promise.resolve(rootsOwn(new RootTree(join(directory.path, subdir), access.backends.kernel), directory.keep()));
    },
  });
}

interface Directory {
  readonly path: string;
  /** It stays, until what is returned is called. */
  keep(): () => void;
}

/** Runs a script in a new directory, which goes afterwards unless it is kept. */
async function inDirectory<T>(
  access: GitAccess,
  remote: string,
  { script, args, take }: { script: string; args: readonly string[]; take: (directory: Directory, ran: GitRan) => Promise<T> },
): Promise<T> {
  await using undo = new AsyncDisposableStack();
  const path = access.scratch();
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const remove = (): void => rmSync(path, { recursive: true, force: true });
  let kept = false;
  undo.defer(() => (kept ? undefined : remove()));
  const agent = /^https?:|^git:/.test(remote) ? undefined : await access.ssh("default");
  if (agent !== undefined) undo.use(agent);
  const ran = await runGit(access, { script, args, directory: path, agent: agent?.path, env: await authorization(access, remote) });
  const keep = (): (() => void) => {
    kept = true;
    return remove;
  };
  return await take({ path, keep }, ran);
}

/** `--secret id=GIT_AUTH_TOKEN` or `GIT_AUTH_HEADER`, with the host's name behind a dot or for every host. By the environment: arguments are seen by others. */
async function authorization({ secret }: GitAccess, remote: string): Promise<string[]> {
  if (!/^https?:/.test(remote)) return [];
  const { host, origin } = new URL(remote);
  const given = async (id: string): Promise<string | undefined> => ((await secret(`${id}.${host}`)) ?? (await secret(id)))?.toString("utf8").trim();
  const token = await given("GIT_AUTH_TOKEN");
  const header = token === undefined ? await given("GIT_AUTH_HEADER") : `basic ${Buffer.from(`x-access-token:${token}`).toString("base64")}`;
  if (header === undefined) return [];
  return ["GIT_CONFIG_COUNT=1", `GIT_CONFIG_KEY_0=http.${origin}/.extraheader`, `GIT_CONFIG_VALUE_0=Authorization: ${header}`];
}

/** Links on the way are not followed. */
function checkSubdir(tree: FileTree, subdir: string): void {
  let at = "";
  for (const name of subdir.split("/").filter((one) => one !== "")) {
    const there = name === "." || name === ".." ? undefined : tree.lstat(joined(at, name));
    if (there === undefined) {
      throw new GitSubdirMissing(
        "invalidArgument",
        `invalid subdir /${subdir}: failed to lstat ${JSON.stringify(name)}: statat ${name}: no such file or directory`,
      );
    }
    if (there.type !== "directory") {
      throw new GitSubdirMissing("invalidArgument", `invalid subdir /${subdir}: git subpath "/${subdir}" contains non-directory ${JSON.stringify(name)}`);
    }
    at = joined(at, name);
  }
}

function rootsOwn(tree: FileTree, remove: () => void): FileTree & AsyncDisposable {
  const own = (entry: TreeEntry | undefined): TreeEntry | undefined => (entry === undefined ? undefined : { ...entry, uid: 0, gid: 0 });
  return {
    lstat: (path) => own(tree.lstat(path)),
    names: (path) => tree.names(path),
    read: (entry) => tree.read(entry),
    digest: (entry) => tree.digest(entry),
    [Symbol.asyncDispose]: () => Promise.resolve(remove()),
  };
}

/** An address without the password that may be in it. */
const redacted = (address: string): string => address.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/@]*@/i, "$1xxxxx@");
