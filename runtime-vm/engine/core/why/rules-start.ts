import type { Finding } from "#api/failure.ts";
import type { Facts, Rule } from "./facts.ts";
import { bytes } from "./quantities.ts";

/** Why a container did not start, from the engine's refusal and from what its command's file is. */
export const startRules: readonly Rule[] = [
  { name: "port-taken", find: portTaken },
  { name: "port-refused", find: portRefused },
  { name: "mount-source-missing", find: mountSourceMissing },
  { name: "mount-kind", find: mountKind },
  { name: "crlf", find: crlf },
  { name: "interpreter-missing", find: interpreterMissing },
  { name: "wrong-architecture", find: wrongArchitecture },
  { name: "not-a-program", find: notAProgram },
  { name: "directory-missing", find: directoryMissing },
  { name: "user-unknown", find: userUnknown },
  { name: "no-command", find: noCommand },
  { name: "not-executable", find: notExecutable },
  { name: "command-not-found", find: commandNotFound },
  { name: "disk-full", find: diskFull },
  { name: "network-missing", find: networkMissing },
  { name: "start-refused", find: refused },
];

const takenPorts = [/:(\d+) failed: port is already allocated(?: by (.*))?$/s, /for \S*?:(\d+):.*: address already in use(?: by (.*))?$/s] as const;

function portTaken({ startError }: Facts): Finding | undefined {
  const found = takenPorts.map((pattern) => pattern.exec(startError)).find((match) => match !== null);
  if (found === undefined) return undefined;
  const [, port = "", holder] = found;
  return {
    verdict: `Port ${port} of the host is taken${holder === undefined ? "" : ` by ${holder}`}.`,
    evidence: [startError],
    fix: `Stop what holds port ${port}, or publish another one: -p ${Number(port) + 1}:...`,
  };
}

function portRefused({ startError }: Facts): Finding | undefined {
  const found = /failed to bind host port for (\S+?):(\d+):\S*: (permission denied|cannot assign requested address)/i.exec(startError);
  if (found === null) return undefined;
  const [, address = "", port = "", why] = found;
  if (why === "permission denied") {
    return { verdict: `The host lets only root listen on port ${port}.`, evidence: [startError], fix: "Publish a port from 1024 on: -p 8080:..." };
  }
  return {
    verdict: `The host has no address ${address} to publish port ${port} on.`,
    evidence: [startError],
    fix: `Leave the address out, or use one the host has: -p ${port}:...`,
  };
}

function mountSourceMissing({ startError }: Facts): Finding | undefined {
  const path = /bind source path does not exist: (.*)$/s.exec(startError)?.[1] ?? /error while creating mount source path '(.*?)'/s.exec(startError)?.[1];
  if (path === undefined) return undefined;
  return {
    verdict: `The mount's source ${path} is not on the host, or not shared with the engine.`,
    evidence: [startError],
    fix: `Make ${path}, or correct the path of the mount.`,
  };
}

function mountKind({ startError }: Facts): Finding | undefined {
  if (!/not a directory|is a directory/i.test(startError) || !/mount/i.test(startError) || /exec:/.test(startError)) return undefined;
  return {
    verdict: "A mount joins a file and a directory: both ends must be of one kind.",
    evidence: [startError],
    fix: "Check that the mount's source exists and is what the container expects at that place: -v of a missing file makes a directory.",
  };
}

const ofCommand = ({ startError }: Facts): boolean => /exec|no such file or directory|permission denied|not found/i.test(startError);

function crlf(facts: Facts): Finding | undefined {
  const { program } = facts;
  if (program?.file?.crlf !== true || !ofCommand(facts)) return undefined;
  return {
    verdict: `The script ${program.path} has Windows line ends (CRLF): the kernel looks for an interpreter whose name ends in a carriage return.`,
    evidence: [`first line of ${program.path} ends in \\r\\n`, facts.startError],
    fix: `Convert it and build anew: sed -i 's/\\r$//' ${nameOf(program.path)}; in git, *.sh text eol=lf in .gitattributes keeps it so.`,
  };
}

function interpreterMissing(facts: Facts): Finding | undefined {
  const { program } = facts;
  const interpreter = program?.file?.interpreter;
  if (program === undefined || interpreter === undefined || interpreter.exists || !ofCommand(facts)) return undefined;
  const script = program.file?.kind === "script";
  return {
    verdict: script
      ? `The script ${program.path} asks for ${interpreter.path}, which is not in the image.`
      : `The program ${program.path} needs the loader ${interpreter.path}, which is not in the image.`,
    evidence: [`${program.path} is there, ${interpreter.path} is not`, facts.startError],
    fix: script
      ? `Install ${nameOf(interpreter.path)} in the image, or begin the script with an interpreter it has, such as #!/bin/sh.`
      : interpreter.path.includes("musl")
        ? "It was built for musl (Alpine): use an Alpine image, or build it for glibc."
        : "It was built for glibc: use an image with glibc (Debian, Ubuntu), or link it statically.",
  };
}

function wrongArchitecture(facts: Facts): Finding | undefined {
  const { program, architecture, startError } = facts;
  const built = program?.file?.architecture;
  if (program === undefined || built === undefined || built === architecture || !/exec format error/i.test(startError)) return undefined;
  return {
    verdict: `${program.path} is built for ${built}, and this machine is ${architecture}.`,
    evidence: [`the file's header says ${built}`, startError],
    fix: `Pull or build the image for this machine: --platform linux/${architecture}`,
  };
}

function notAProgram({ program, startError }: Facts): Finding | undefined {
  if (!/exec format error/i.test(startError)) return undefined;
  const path = program?.path ?? "The command";
  return {
    verdict: `${path} is neither a binary of this machine nor a script that names its interpreter.`,
    evidence: [startError],
    fix: "Begin the script with #!/bin/sh, or give the interpreter in the command.",
  };
}

function directoryMissing({ startError }: Facts): Finding | undefined {
  const path = /chdir to cwd \("(.*?)"\)/s.exec(startError)?.[1];
  if (path === undefined) return undefined;
  return {
    verdict: `The working directory ${path} cannot be entered.`,
    evidence: [startError],
    fix: `Make ${path} in the image (WORKDIR does), or start with another one: -w /`,
  };
}

function userUnknown({ startError }: Facts): Finding | undefined {
  const found = /unable to find (user|group) (.*?): no matching entries/.exec(startError);
  if (found === null) return undefined;
  const [, kind = "user", name = ""] = found;
  return {
    verdict: `The image has no ${kind} ${name}.`,
    evidence: [startError],
    fix: `Add the ${kind} in the Dockerfile (adduser), or give a number: --user 1000`,
  };
}

function noCommand({ startError, command }: Facts): Finding | undefined {
  if (command.length > 0 && !/no command specified/i.test(startError)) return undefined;
  return {
    verdict: "Neither the image nor the container says what to run.",
    evidence: [startError],
    fix: "Give a command after the image's name, or CMD in the Dockerfile.",
  };
}

function notExecutable({ program, startError, command }: Facts): Finding | undefined {
  if (!/permission denied|is a directory/i.test(startError) || !/exec/i.test(startError)) return undefined;
  const path = program?.path ?? command[0] ?? "";
  if (program?.file?.directory === true) {
    return { verdict: `The command ${path} is a directory.`, evidence: [startError], fix: `Name a program in it, such as ${path}/${nameOf(path)}.` };
  }
  return {
    verdict: `${path} is there, and may not be executed.`,
    evidence: [...(program?.file?.executable === false ? [`${path} has no execute permission`] : []), startError],
    fix: `RUN chmod +x ${path} in the Dockerfile, or COPY --chmod=755; for a mounted file chmod +x on the host.`,
  };
}

function commandNotFound({ startError, command }: Facts): Finding | undefined {
  if (!/executable file not found|no such file or directory|exec.*not a directory/i.test(startError) || !/exec/i.test(startError)) return undefined;
  const [word = ""] = command;
  return {
    verdict: word.includes("/") ? `The command ${word} is not in the image.` : `The command ${word} is in no directory of the image's PATH.`,
    evidence: [startError],
    fix: word.includes(" ")
      ? "The whole line was taken for one program's name: give its words one by one, or run it by sh -c."
      : `Correct the name, or install ${nameOf(word)} in the image.`,
  };
}

function diskFull({ startError, disk }: Facts): Finding | undefined {
  if (!/no space left on device|ENOSPC|disk is full|quota exceeded|EDQUOT/i.test(startError)) return undefined;
  return {
    verdict: "The engine's disk is full.",
    evidence: [...diskEvidence(disk), startError],
    fix: "Make room: docker system df tells what takes it, docker system prune gives it back.",
  };
}

export const diskEvidence = (disk: Facts["disk"]): string[] =>
  disk === undefined ? [] : [`${bytes(disk.freeBytes)} of ${bytes(disk.totalBytes)} are free on the engine's disk`];

function networkMissing({ startError, name }: Facts): Finding | undefined {
  const network = /network (\S+) not found/.exec(startError)?.[1];
  if (network === undefined) return undefined;
  return {
    verdict: `The network ${network} is not there any more.`,
    evidence: [startError],
    fix: `Make it again (docker network create ${network}), or create ${name} anew on another one.`,
  };
}

function refused({ startError }: Facts): Finding {
  return { verdict: "The engine could not start the container.", evidence: [startError], fix: "Do what the engine's words say; they are told above in full." };
}

const nameOf = (path: string): string => path.slice(path.lastIndexOf("/") + 1);
