import { type FlagCase, host, mounted, one, peer, sh } from "./run-flags.case.ts";

export const filesCases: readonly FlagCase[] = [
  one("volume", ["-v", "{dir}:/from:ro", ...sh("cat /from/file.txt; touch /from/x; echo $?; " + mounted("/from"))], { show: ["HostConfig.Binds", "Mounts"] }),
  one("volume", ["-v", "{dir}/made-by-v:/made", ...sh("touch /made/x && echo written")]),
  one("volume", ["-v", "{n}-vol:/www", ...sh("cat /www/index.html")], {
    show: ["Mounts"],
    after: [
      ["rm", "-f", "{n}"],
      ["volume", "rm", "{n}-vol"],
    ],
  }),
  one("volume", ["-v", "{n}-vol:/www:nocopy", ...sh("ls /www")], {
    after: [
      ["rm", "-f", "{n}"],
      ["volume", "rm", "{n}-vol"],
    ],
  }),
  one("volume", ["-v", "{dir}:/from:rprivate", ...sh("echo in")], { show: ["Mounts"] }),
  one("volume", ["-v", "/data", "busybox", "true"], { show: ["Config.Volumes"] }),
  one("volume", ["-v", "{dir}:relative", "busybox", "true"]),
  one("volume", ["-v", "{dir}:/x:nonsense", "busybox", "true"]),
  one("volume", ["-v", "{dir}:/", "busybox", "true"]),
  one("volume", ["-v", "a:b:c:d", "busybox", "true"]),
  one("volume", ["-v", "{dir}:/x", "-v", "{dir}:/x", "busybox", "true"]),
  one("volume", ["-v", "-bad:/x", "busybox", "true"]),
  one("volume-driver", ["--volume-driver", "local", "-v", "{n}-vol:/x", "busybox", "true"], {
    show: ["HostConfig.VolumeDriver"],
    after: [
      ["rm", "-f", "{n}"],
      ["volume", "rm", "{n}-vol"],
    ],
  }),
  one("volume-driver", ["--pull", "never", "--volume-driver", "nothing", "-v", "{n}-vol:/x", "busybox", "true"]),
  one("volumes-from", ["--volumes-from", "{n}-peer", "busybox", "cat", "/shared/file"], { ...peer, ...host("VolumesFrom") }),
  one("volumes-from", ["--volumes-from", "{n}-peer:ro", ...sh("touch /shared/x; echo $?")], peer),
  one("volumes-from", ["--volumes-from", "{n}-peer:nonsense", "busybox", "true"], peer),
  one("volumes-from", ["--volumes-from", "nobody", "busybox", "true"]),
  one("tmpfs", ["--tmpfs", "/t:size=1m,mode=1700", ...sh("df -k /t | tail -1 | tr -s ' ' | cut -d' ' -f2; stat -c %a /t; " + mounted("/t"))], host("Tmpfs")),
  one("tmpfs", ["--tmpfs", "/t:exec", ...sh(mounted("/t"))]),
  one("tmpfs", ["--tmpfs", "relative", "busybox", "true"]),
  one("tmpfs", ["--tmpfs", "/t:nonsense", "busybox", "true"]),
  one("mount", ["--mount", "type=bind,source={dir},target=/from,readonly", ...sh("cat /from/file.txt; " + mounted("/from"))], { show: ["Mounts"] }),
  one("mount", ["--mount", "type=bind,source={dir},target=/from,bind-propagation=rprivate", "busybox", "true"], { show: ["Mounts", "HostConfig.Mounts"] }),
  one("mount", ["--mount", "type=bind,source={dir},target=/from,bind-recursive=disabled", "busybox", "true"], { show: ["HostConfig.Mounts"] }),
  one("mount", ["--mount", "type=bind,source={dir}/missing,target=/from", "busybox", "true"]),
  one("mount", ["--mount", "type=volume,source={n}-vol,target=/www,volume-nocopy,volume-label=a=b", ...sh("ls /www")], {
    show: ["HostConfig.Mounts"],
    after: [
      ["volume", "inspect", "-f", "{{json .Labels}}", "{n}-vol"],
      ["rm", "-f", "{n}"],
      ["volume", "rm", "{n}-vol"],
    ],
  }),
  one("mount", ["--mount", "type=volume,target=/anonymous", ...sh("touch /anonymous/x && echo written")]),
  one("mount", ["--mount", "type=volume,source={n}-vol,target=/sub,volume-subpath=inner", ...sh("cat /sub/file")], {
    before: [["run", "--rm", "-v", "{n}-vol:/v", ...sh("mkdir /v/inner; echo below > /v/inner/file")]],
    show: ["HostConfig.Mounts"],
    after: [
      ["rm", "-f", "{n}"],
      ["volume", "rm", "{n}-vol"],
    ],
  }),
  one("mount", ["--mount", "type=volume,source={n}-vol,target=/sub,volume-subpath=missing", "busybox", "true"], {
    after: [
      ["rm", "-f", "{n}"],
      ["volume", "rm", "{n}-vol"],
    ],
  }),
  one("mount", ["--mount", "type=volume,source={n}-vol,target=/sub,volume-subpath=../up", "busybox", "true"], {
    after: [
      ["rm", "-f", "{n}"],
      ["volume", "rm", "{n}-vol"],
    ],
  }),
  one(
    "mount",
    [
      "--mount",
      "type=volume,source={n}-vol,target=/v,volume-driver=local,volume-opt=type=tmpfs,volume-opt=device=tmpfs,volume-opt=o=size=1m",
      ...sh("df -k /v | tail -1 | tr -s ' ' | cut -d' ' -f2"),
    ],
    {
      after: [
        ["rm", "-f", "{n}"],
        ["volume", "rm", "{n}-vol"],
      ],
    },
  ),
  one("mount", ["--mount", "type=tmpfs,target=/t,tmpfs-size=1048576,tmpfs-mode=1700", ...sh("df -k /t | tail -1 | tr -s ' ' | cut -d' ' -f2; stat -c %a /t")], {
    show: ["HostConfig.Mounts", "Mounts"],
  }),
  one("mount", ["--mount", "type=image,source=busybox,target=/img", ...sh("cat /img/www/index.html; touch /img/x; echo $?")], {
    show: ["HostConfig.Mounts", "Mounts"],
  }),
  one("mount", ["--mount", "type=nonsense,target=/x", "busybox", "true"]),
  one("mount", ["--mount", "type=bind,target=/x", "busybox", "true"]),
  one("mount", ["--mount", "type=tmpfs,target=relative", "busybox", "true"]),
  one("mount", ["--mount", "type=tmpfs,source=x,target=/x", "busybox", "true"]),
  one("mount", ["--mount", "type=npipe,source=x,target=/x", "busybox", "true"]),
  one("volume", ["-v", "{dir}:/x:rshared", "busybox", "true"], {
    ours: { reason: "the mount that the path is on is the engine's own affair", err: /path \S+ is mounted on \S+ but it is not a shared mount/ },
  }),
  one("mount", ["--mount", "type=bind,source={dir},target=/x,bind-propagation=nonsense", "busybox", "true"]),
];
