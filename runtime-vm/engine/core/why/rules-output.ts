import type { Finding } from "#api/failure.ts";
import type { Facts, Rule } from "./facts.ts";
import { dependencyRules } from "./rules-dependency.ts";
import { diskEvidence } from "./rules-start.ts";

/** What a program that failed said last. The texts are those of the C libraries, shells and language runtimes, which hardly ever change. */
export const outputRules: readonly Rule[] = [
  { name: "missing-library", find: missingLibrary },
  { name: "crlf", find: crlf },
  { name: "own-memory", find: ownMemory },
  { name: "disk-full", find: diskFull },
  { name: "read-only", find: readOnly },
  { name: "port-in-use", find: portInUse },
  ...dependencyRules,
  { name: "not-permitted", find: notPermitted },
  { name: "permission-denied", find: permissionDenied },
  { name: "missing-module", find: missingModule },
  { name: "command-not-found", find: commandNotFound },
];

/** The newest line that matches. */
export function lineWith({ lines }: Pick<Facts, "lines">, pattern: RegExp): { line: string; found: RegExpExecArray } | undefined {
  for (const line of lines.toReversed()) {
    const found = pattern.exec(line);
    if (found !== null) return { line, found };
  }
  return undefined;
}

function missingLibrary(facts: Facts): Finding | undefined {
  const said =
    lineWith(facts, /error while loading shared libraries: ([^:\s]+): cannot open shared object file/) ??
    lineWith(facts, /Error loading shared library ([^:\s]+): No such file/) ??
    lineWith(facts, /(?:OSError|ImportError): ([^:\s]+\.so[^:\s]*): cannot open shared object file/);
  if (said !== undefined) {
    const library = said.found[1] ?? "";
    return {
      verdict: `The shared library ${library} is not in the image.`,
      evidence: [said.line],
      fix: `Install the package that has ${library} (apt-file search ${library}, or apk info --who-owns), or link the program statically.`,
    };
  }
  const old = lineWith(facts, /version [`'](GLIBC(?:XX)?_[\d.]+)' not found/);
  if (old === undefined) return undefined;
  return {
    verdict: `The program needs ${old.found[1]}, which is newer than the image's C library.`,
    evidence: [old.line],
    fix: "Use a newer base image, or build the program on the one it is to run on.",
  };
}

function crlf(facts: Facts): Finding | undefined {
  const said = lineWith(facts, /(?:\r['"]?: (?:command )?not found|\$'\\r'|illegal option -\s*\r|env: .*\r.*No such file)/);
  if (said === undefined) return undefined;
  return {
    verdict: "A script has Windows line ends (CRLF): the shell takes the carriage return for part of each command.",
    evidence: [said.line.replaceAll("\r", "\\r")],
    fix: "Convert it and build anew: sed -i 's/\\r$//' SCRIPT; in git, *.sh text eol=lf in .gitattributes keeps it so.",
  };
}

function ownMemory(facts: Facts): Finding | undefined {
  const said = lineWith(
    facts,
    /JavaScript heap out of memory|java\.lang\.OutOfMemoryError|^MemoryError|fatal error: runtime: out of memory|[Cc]annot allocate memory|std::bad_alloc/,
  );
  if (said === undefined) return undefined;
  return {
    verdict: "The program ran out of the memory it allows itself or gets; the kernel did not kill it.",
    evidence: [said.line],
    fix: "Raise its own limit (node --max-old-space-size, java -Xmx), and the container's if there is one.",
  };
}

function diskFull(facts: Facts): Finding | undefined {
  const said = lineWith(facts, /No space left on device|ENOSPC|[Dd]isk quota exceeded/);
  if (said === undefined) return undefined;
  const path = pathIn(said.line);
  const mount = mountOf(facts, path);
  const where = mount === undefined ? "" : `, at the mount ${mount.destination}`;
  return {
    verdict: `There was no space left where the program writes${where}.`,
    evidence: [said.line, ...diskEvidence(facts.disk)],
    fix:
      mount === undefined
        ? "Make room: docker system df tells what takes it; a tmpfs or a container with a size limit needs a larger size."
        : `Make room in ${mount.source}.`,
  };
}

function readOnly(facts: Facts): Finding | undefined {
  const said = lineWith(facts, /[Rr]ead-only file ?system|EROFS/);
  if (said === undefined) return undefined;
  const path = pathIn(said.line);
  const mount = mountOf(facts, path);
  if (mount?.readOnly === true) {
    return {
      verdict: `The program writes to ${path ?? mount.destination}, and the mount ${mount.destination} is read-only.`,
      evidence: [said.line, `${mount.source} is mounted there read-only`],
      fix: `Mount it without :ro, or let the program write elsewhere.`,
    };
  }
  return {
    verdict: `The program writes${path === undefined ? "" : ` to ${path}`}, and ${facts.readOnlyRoot ? "the container's root is read-only" : "that file system is read-only"}.`,
    evidence: [said.line, ...(facts.readOnlyRoot ? ["it was created with --read-only"] : [])],
    fix:
      path === undefined
        ? "Give it a place to write: --tmpfs /tmp, or a volume."
        : `Give it a place to write: --tmpfs ${directoryOf(path)}, or a volume there.`,
  };
}

function portInUse(facts: Facts): Finding | undefined {
  const said = lineWith(facts, /EADDRINUSE|[Aa]ddress (?:already )?in use/);
  if (said === undefined) return undefined;
  const port = /:(\d{1,5})\b/.exec(said.line)?.[1] ?? /port:? (\d{1,5})/i.exec(said.line)?.[1];
  const shared =
    facts.networkMode === "host" ? "the host" : facts.networkMode.startsWith("container:") ? "the container whose network it shares" : "this container";
  return {
    verdict: `The program cannot listen${port === undefined ? "" : ` on port ${port}`}: something in ${shared} does already.`,
    evidence: [said.line, `network mode ${facts.networkMode || "default"}`],
    fix:
      shared === "this container"
        ? "Start one program a container, or give each a port of its own."
        : `Stop what listens there, or let the program use another port.`,
  };
}

function permissionDenied(facts: Facts): Finding | undefined {
  const said = lineWith(facts, /[Pp]ermission denied|EACCES|PermissionError/);
  if (said === undefined) return undefined;
  const port = /(?:bind|listen)\D*?(?:\d+\.){3}\d+:(\d+)|listen EACCES.*?:(\d+)/i.exec(said.line);
  const number = port?.[1] ?? port?.[2];
  if (number !== undefined) {
    return {
      verdict: `The user ${facts.user || "root"} may not listen on port ${number}.`,
      evidence: [said.line],
      fix: "Let the program use a port from 1024 on, or give it the right: --cap-add NET_BIND_SERVICE",
    };
  }
  const path = pathIn(said.line);
  const mount = mountOf(facts, path);
  const user = facts.user || "root";
  if (mount !== undefined) {
    return {
      verdict: `The user ${user} may not use ${path ?? mount.destination}: what is mounted at ${mount.destination} belongs to somebody else.`,
      evidence: [said.line, ...(mount.owner === undefined ? [] : [`${mount.source}: ${mount.owner}`]), `the program runs as ${user}`],
      fix: `Run as the owner (--user), or give it away on the host: chown -R ${/^\d+(:\d+)?$/.test(user) ? user : "UID"} ${mount.source}`,
    };
  }
  return {
    verdict: `The user ${user} may not use ${path ?? "a file"}.`,
    evidence: [said.line, `the program runs as ${user}`],
    fix: `Give it the right in the image (RUN chown or chmod), or run as another user: --user`,
  };
}

/** What the word in the message needs, by the kernel's capabilities(7). */
const capabilities: readonly (readonly [RegExp, string])[] = [
  [/RTNETLINK|iptables|nft|\bip\b|route|tun\b|ifconfig|sysctl/i, "NET_ADMIN"],
  [/u?mount|unshare|setns|sethostname|pivot_root|swapon/i, "SYS_ADMIN"],
  [/ptrace|strace|gdb/i, "SYS_PTRACE"],
  [/clock|settimeofday|set date|hwclock|adjtime/i, "SYS_TIME"],
  [/nice|sched_|setpriority|ionice/i, "SYS_NICE"],
  [/mlock|hugetlb/i, "IPC_LOCK"],
  [/modprobe|insmod|init_module/i, "SYS_MODULE"],
  [/raw socket|ping|SOCK_RAW/i, "NET_RAW"],
  [/chown/i, "CHOWN"],
  [/setuid|setgid|setgroups|\bsu\b/i, "SETUID"],
  [/bpf|perf_event/i, "PERFMON"],
];

function notPermitted(facts: Facts): Finding | undefined {
  const said = lineWith(facts, /[Oo]peration not permitted|EPERM|must be (?:run as )?(?:root|superuser)|are you root\?/);
  if (said === undefined) return undefined;
  const capability = capabilities.find(([pattern]) => pattern.test(said.line))?.[1];
  return {
    verdict: `The kernel refused the program something that a container may not do${capability === undefined ? "" : ` without the capability ${capability}`}.`,
    evidence: [
      said.line,
      `the program runs as ${facts.user || "root"}${facts.privileged ? ", privileged" : ", with Docker's default capabilities and seccomp profile unless it was given others"}`,
    ],
    fix:
      capability === undefined
        ? "Give it the capability the call needs by --cap-add; --privileged shows whether that is it."
        : `If it is to be trusted with it: --cap-add ${capability}`,
  };
}

function missingModule(facts: Facts): Finding | undefined {
  const said =
    lineWith(facts, /ModuleNotFoundError: No module named '([^']+)'/) ??
    lineWith(facts, /Cannot find (?:module|package) '([^']+)'/) ??
    lineWith(facts, /Could not find or load main class (\S+)/) ??
    lineWith(facts, /can't open file '([^']+)'/) ??
    lineWith(facts, /cannot load such file -- (\S+)/);
  if (said === undefined) return undefined;
  return {
    verdict: `The program needs ${said.found[1]}, which is not in the image.`,
    evidence: [said.line],
    fix: "Install it in the Dockerfile; a mount over the program's directory hides what the image has there.",
  };
}

/** Of a shell inside the container, which ends with 127, or 126 for what may not be executed. */
function commandNotFound(facts: Facts): Finding | undefined {
  if (facts.exitCode !== 127) return undefined;
  const said = lineWith(facts, /(?:^|[\s:'])([^\s:']+)'?: (?:command )?not found/) ?? lineWith(facts, /(\S+): No such file or directory/i);
  if (said === undefined) return undefined;
  return {
    verdict: `The command ${said.found[1]} is not in the image.`,
    evidence: [said.line, "exit code 127, by the shell's convention"],
    fix: `Install ${said.found[1]} in the image, or correct its name.`,
  };
}

/** The first absolute path in a message. */
function pathIn(line: string): string | undefined {
  return /(?:^|[\s'"`(=:])(\/[^\s'"`:,)]+)/.exec(line)?.[1];
}

function mountOf({ mounts }: Facts, path: string | undefined): Facts["mounts"][number] | undefined {
  if (path === undefined) return undefined;
  const above = mounts.filter(({ destination }) => path === destination || path.startsWith(`${destination}/`));
  return above.toSorted((a, b) => b.destination.length - a.destination.length)[0];
}

const directoryOf = (path: string): string => path.slice(0, Math.max(1, path.lastIndexOf("/")));
