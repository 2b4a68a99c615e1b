/** One Dockerfile, built by both builders: what they make of it is compared with what dockerd 28.5 made of it. */
export interface BuildCase {
  readonly name: string;
  readonly dockerfile: string;
  /** Beside the usual context. */
  readonly files?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  /** Both where absent. */
  readonly builder?: "classic" | "buildkit";
  /** Files that change with every build, or that the runtime makes. */
  readonly ignore?: readonly string[];
}

/** What every case has to copy from. `x` files are executable. */
export const context: Readonly<Record<string, string>> = {
  "a.txt": "a\n",
  "b.txt": "b\n",
  "run.sh": "#!/bin/sh\necho run\n",
  "d/one": "1\n",
  "d/sub/two": "2\n",
  "d/sub/three.md": "3\n",
  "docs/readme.md": "readme\n",
};

const from = (lines: string): string => `FROM busybox\n${lines}\n`;
const c = (name: string, dockerfile: string, more: Omit<BuildCase, "name" | "dockerfile"> = {}): BuildCase => ({ name, dockerfile, ...more });

export const buildCases: readonly BuildCase[] = [
  c("nothing but FROM", "FROM busybox\nLABEL x=1\n"),
  c("RUN by the shell", from("RUN echo hi > /hi && mkdir -p /x/y && rm -r /www")),
  c("RUN as a list", from('RUN ["touch", "/a b"]')),
  c("RUN of several heredocs", from("RUN <<EOF\necho one > /one\necho two > /two\nEOF\nRUN cat <<A > /a && cat <<B > /b\nin a\nA\nin b\nB"), {
    builder: "buildkit",
  }),
  c("RUN of a script for another interpreter", from("RUN <<EOF\n#!/bin/busybox sh\necho $0 > /out\nEOF"), { builder: "buildkit" }),
  c("RUN that fails", from("RUN echo out; echo err >&2; exit 7")),
  c("RUN of what is not there", from('RUN ["/nope"]')),
  c("RUN as another user in a directory", from("WORKDIR /tmp\nUSER user\nRUN id -u > who && pwd > where")),
  c("RUN with a user nobody has", from("USER nosuch\nRUN true")),
  c("removed and replaced", from("RUN rm /etc/group && rm -r /www && mkdir /www && echo new > /www/n\nRUN echo 2 > /www/n")),
  c(
    "ENV in its forms",
    from('ENV A=1 B="two words" C=th\\ ree\nENV D four five\nENV E=$A$B F=${NO:-none} G=${A:+set} H=\'$A\'\nRUN env | grep "^[A-H]=" | sort > /env'),
  ),
  c("ENV takes the values from before the line", from("ENV abc=hello\nENV abc=bye def=$abc\nENV ghi=$abc")),
  c("ENV replaced", from("ENV P=1\nENV P=2\nRUN echo $P > /p")),
  c("ARG with default", from("ARG V=1\nARG W\nRUN echo $V-$W > /v")),
  c("ARG given", from("ARG V=1\nARG W\nRUN echo $V-$W > /v\nENV X=$V"), { args: ["--build-arg", "V=9", "--build-arg", "W=8"] }),
  c("ARG hidden by ENV", from("ARG V=1\nENV V=2\nRUN echo $V > /v"), { args: ["--build-arg", "V=9"] }),
  c("ARG before FROM", "ARG I=busybox\nARG T=x\nFROM $I\nARG T\nRUN echo $T > /t"),
  c("ARG of several names", from("ARG a=1 b=$a\nRUN echo $a$b > /v")),
  c("proxies need no ARG", from("RUN echo $http_proxy > /p"), { args: ["--build-arg", "http_proxy=http://p"] }),
  c("COPY a file", from("COPY a.txt /x")),
  c("COPY a file into a directory", from("COPY a.txt /tmp\nCOPY b.txt /new/\nCOPY a.txt /deep/er/name")),
  c("COPY several", from("COPY a.txt b.txt /m/")),
  c("COPY a directory", from("COPY d /d1\nCOPY d /www/\nCOPY d/sub /d1")),
  c("COPY everything", from("WORKDIR /app\nCOPY . .")),
  c("COPY by wildcards", from("COPY *.txt d/*/t* /w/\nCOPY ?.txt /q/")),
  c("COPY as a list", from('COPY ["a.txt", "/with space"]')),
  c("COPY to where WORKDIR is", from("WORKDIR /w\nCOPY a.txt b\nCOPY b.txt ./c/")),
  c("COPY with numbers as owner", from("COPY --chown=5:6 d /o\nCOPY --chown=7 a.txt /new/a")),
  c("COPY with names as owner", from("COPY --chown=user:root a.txt /o\nCOPY --chown=user d /od")),
  c("COPY with an owner nobody has", from("COPY --chown=nobodyx a.txt /c")),
  c("COPY with a mode", from("COPY --chmod=640 a.txt /m\nCOPY --chmod=u=rwX,go=rX d /md"), { builder: "buildkit" }),
  c("COPY of what is not there", from("COPY nope /c")),
  c("COPY from outside of the context", from("COPY ../x /x")),
  c("COPY keeps executable files so", from("COPY run.sh /run.sh\nRUN /run.sh > /said")),
  c("COPY over a link", from("RUN ln -s /tmp /l && ln -s /www/index.html /f\nCOPY a.txt /l/\nCOPY b.txt /f")),
  c("COPY with excludes", from("COPY --exclude=*.md --exclude=sub/two d /d"), { builder: "buildkit" }),
  c("COPY with parents", from("COPY --parents d/sub/two docs/*.md /p/\nCOPY --parents ./d/./sub /q/"), { builder: "buildkit" }),
  c("COPY of files written in place", from("ENV N=name\nCOPY <<one <<-'two' /f/\nhello $N\none\n\t\traw $N\n\ttwo"), { builder: "buildkit" }),
  c("COPY in a layer of its own", from("COPY --link a.txt /l/a"), { builder: "buildkit" }),
  c(
    "COPY of another stage",
    "FROM busybox AS made\nRUN mkdir /out && echo 1 > /out/f && chown -R 3:4 /out\nFROM busybox\nCOPY --from=made /out /in\nCOPY --from=0 /out/f /f",
  ),
  c("COPY of a whole root", "FROM busybox AS made\nRUN echo 1 > /made\nFROM scratch\nCOPY --from=made / /\n"),
  c("COPY of another image", from("COPY --from=busybox /etc/passwd /p")),
  c("COPY of a later stage", "FROM busybox AS a\nCOPY --from=b /x /x\nFROM a AS b\n", { builder: "buildkit" }),
  c("COPY of a stage by a number that none has", from("COPY --from=7 /a /b"), { builder: "buildkit" }),
  c("COPY of the stage itself", "FROM busybox AS one\nCOPY --from=0 /a /b\n", { builder: "buildkit" }),
  c("ignored files", from("COPY . /c"), { files: { ".dockerignore": "*.txt\n!b.txt\n**/*.md\nDockerfile\n.dockerignore" } }),
  c("ADD a file and a directory", from("ADD a.txt d /x/")),
  c("ADD with a sum", from("ADD --checksum=sha256:0 http://127.0.0.1:1/x /x"), { builder: "buildkit" }),
  c("WORKDIR absolute, relative and by a variable", from("WORKDIR /a\nWORKDIR b/../c\nENV D=/dd\nWORKDIR $D/e\nRUN pwd > p")),
  c("WORKDIR of a user", from("USER user\nWORKDIR /home/u")),
  c("USER, EXPOSE, VOLUME, STOPSIGNAL", from('USER user:root\nEXPOSE 80 90-91/udp\nENV V=/v1\nVOLUME $V /v2\nVOLUME ["/v3"]\nSTOPSIGNAL SIGINT')),
  c("CMD and ENTRYPOINT by the shell", from("CMD echo cmd\nENTRYPOINT echo entry")),
  c("ENTRYPOINT takes an inherited CMD away", from('ENTRYPOINT ["echo"]')),
  c("SHELL", from('SHELL ["/bin/sh", "-ec"]\nRUN false || echo yes > /y\nCMD x')),
  c("LABEL in its forms", from('LABEL a=1 "b c"=\'d e\' f="g\\\nh"\nLABEL i j k')),
  c("MAINTAINER", from("MAINTAINER me <me@x>")),
  c("HEALTHCHECK", from("HEALTHCHECK --interval=1m30s --timeout=2s --start-period=500ms --retries=3 CMD test -e /x")),
  c("HEALTHCHECK taken away", from("HEALTHCHECK CMD true\nHEALTHCHECK NONE")),
  c("ONBUILD is kept", from("ONBUILD RUN echo later > /later\nONBUILD COPY a.txt /")),
  c(
    "a stage on a stage, and one that nobody needs",
    "FROM busybox AS one\nENV X=1\nRUN echo 1 > /1\nFROM busybox AS unneeded\nRUN false || true\nFROM one\nRUN echo $X > /2",
  ),
  c("a target in the middle", "FROM busybox AS one\nRUN echo 1 > /1\nFROM one AS two\nRUN exit 1", { args: ["--target", "one"] }),
  c("a target nobody has", "FROM busybox\n", { args: ["--target", "zzz"] }),
  c("labels of the command line", from("RUN true"), { args: ["--label", "z=1", "--label", "a=b c"] }),
  c("hosts and network of the command line", from("RUN grep extra /etc/hosts | cut -f1 > /h; ls /sys/class/net > /n"), {
    args: ["--add-host", "extra:10.1.2.3", "--network", "none"],
  }),
  c("nothing to stand on", 'FROM scratch\nCOPY a.txt /\nCMD ["/x"]'),
  c("another character that joins lines", "# escape=`\nFROM busybox\nRUN echo a > `\n /x\nENV W=c:\\dir"),
  c(
    "mounts of a step",
    from("RUN --mount=type=tmpfs,target=/t --mount=type=cache,target=/c --mount=type=bind,target=/ctx cat /ctx/a.txt > /out && touch /t/x /c/y"),
    { builder: "buildkit" },
  ),
  c("a mount of another stage", "FROM busybox AS o\nRUN echo s > /s\nFROM busybox\nRUN --mount=from=o,target=/o cat /o/s > /out", { builder: "buildkit" }),
  c("a mount that is no kind", from("RUN --mount=type=wat,target=/x true"), { builder: "buildkit" }),
  c("a secret that is required and not there", from("RUN --mount=type=secret,id=s,required=true cat /run/secrets/s"), { builder: "buildkit" }),
  c("no network for a step", from("RUN --network=none ls /sys/class/net > /n"), { builder: "buildkit" }),
  c("the host's network without leave", from("RUN --network=host true"), { builder: "buildkit" }),
  c("an unknown instruction", from("FOO bar")),
  c("an unknown flag", from("COPY --wat=1 a /c")),
  c("a variable that must be set", from("ENV a=${b:?needed}")),
  c("a port that is none", from("EXPOSE 99999999")),
  c("a signal that is none", from("STOPSIGNAL WAT")),
  c("a base without a name", "ARG X\nFROM $X\n"),
  c("ENV in its old form", from("ENV a b c\nRUN echo $a > /env")),
  c("ENV with quotes and defaults", from('ENV a="x y" b=${nope:-d} c=${a:+set}\nRUN echo "$a $b $c" > /env')),
  c("a pattern taken off a variable", from("ENV f=one.tar.gz\nLABEL l=${f%.gz} m=${f##*.}"), { builder: "buildkit" }),
  c("a variable in a single quote", from("ENV a=1\nLABEL l='$a' m=\"$a\" n=\\$a")),
  c("COPY of one letter's files", from("COPY [ab].txt /x/")),
  c("COPY to a new directory without a slash", from("COPY d /new/deep")),
  c("COPY into a file's place", from("RUN touch /f\nCOPY d /f")),
  c("COPY of a dot", from("WORKDIR /w\nCOPY . .")),
  c("COPY of an earlier stage by its number", "FROM busybox\nRUN echo 1 > /one\nFROM busybox\nCOPY --from=0 /one /two\n"),
  c("a stage on a stage", "FROM busybox AS a\nENV x=1\nRUN echo a > /a\nFROM a\nRUN cat /a > /b-$x\n"),
  c("EXPOSE of a range", from("EXPOSE 8000-8002/udp 80")),
  c("VOLUME as a list", from('VOLUME ["/a b", "/c"]')),
  c("comments between the lines of a RUN", from("RUN echo a > /a && \\\n# not this\n    echo b > /b")),
  c("instructions in small letters", "from busybox\nrun echo small > /small\nenv a=b\n"),
  c("an empty RUN", from("RUN")),
  c("WORKDIR that is a file", from("RUN touch /f\nWORKDIR /f")),
];
