/** What goes into the image: data only. Debian trixie's packages are fetched whole; the tree takes the files named here and what they link to. */
export type Arch = "amd64" | "arm64";

export interface Recipe {
  /** Debian packages, fetched without their dependencies: a library none of them has stops the build by name. */
  readonly packages: readonly string[];
  /** Programs and libraries by their path in the tree; libraries they link to come along. */
  readonly programs: readonly string[];
  /** Data files and directories, from their path in the packages to their path in the tree. */
  readonly data: readonly (readonly [from: string, to: string])[];
}

/** The package whose one dependency is the newest kernel image. */
export const kernelPackage = (arch: Arch): string => `linux-image-${arch}`;

export const triplet = (arch: Arch): string => (arch === "amd64" ? "x86_64-linux-gnu" : "aarch64-linux-gnu");
export const loader = (arch: Arch): string => (arch === "amd64" ? "/lib64/ld-linux-x86-64.so.2" : "/lib/ld-linux-aarch64.so.1");
/** Node's own name of the architecture. */
export const nodeArch = (arch: Arch): "x64" | "arm64" => (arch === "amd64" ? "x64" : "arm64");
export const hostArch = (): Arch => (process.arch === "arm64" ? "arm64" : "amd64");

/**
 * How the kernel knows programs of the other architecture, and what runs them: magic and mask of their ELF header
 * (Documentation/admin-guide/binfmt-misc.rst). Any ABI byte, executables and shared objects (PIE) alike.
 */
export function foreign(arch: Arch): { readonly program: string; readonly registration: string } {
  const [machine, program] = arch === "amd64" ? ["b7", "qemu-aarch64"] : ["3e", "qemu-x86_64"];
  const bytes = (hex: string): string => hex.replaceAll(/../g, (byte) => `\\x${byte}`);
  const magic = bytes(`7f454c4602010100${"00".repeat(8)}0200${machine}00`);
  const mask = bytes(`ffffffffffffff00${"ff".repeat(8)}feffffff`);
  // P: argv[0] stays as given; O, C: by descriptor and with the program's own credentials, as set-uid asks; F: opened now, so that containers need no copy.
  return { program, registration: `:${program}:M::${magic}:${mask}:/usr/bin/${program}:POCF` };
}

export const recipe = (arch: Arch): Recipe => ({
  packages: [
    ...["apparmor", "busybox-static", "ca-certificates", "containerd", "crun", "docker-compose", "erofs-utils", "golang-github-docker-docker-dev"],
    ...["git", "nftables", "openssh-client", "qemu-user", "tini", "virtiofsd", "xfsprogs"],
    ...["gcc-14-base", "libblkid1", "libbrotli1", "libbsd0", "libc6", "libcap-ng0", "libcap2", "libcom-err2", "libcrypt1", "libcurl3t64-gnutls"],
    ...["libdeflate0", "libedit2", "libexpat1", "libffi8", "libgcc-s1", "libgmp10", "libgnutls30t64", "libgssapi-krb5-2", "libhogweed6t64"],
    ...["libidn2-0", "libinih1", "libjansson4", "libk5crypto3", "libkeyutils1", "libkrb5-3", "libkrb5support0", "libldap2", "liblz4-1", "liblzma5"],
    ...["libmd0", "libmnl0", "libnettle8t64", "libnftables1", "libnftnl11", "libnghttp2-14", "libnghttp3-9", "libngtcp2-16"],
    ...["libngtcp2-crypto-gnutls8", "libp11-kit0", "libpcre2-8-0", "libpsl5t64", "librtmp1", "libsasl2-2", "libseccomp2", "libselinux1"],
    ...["libssh2-1t64", "libssl3t64", "libstdc++6", "libsystemd0", "libtasn1-6", "libtinfo6", "libunistring5", "liburcu8t64", "libuuid1"],
    ...["libxtables12", "libxxhash0", "libyajl2", "libzstd1", "zlib1g"],
  ],
  programs: [
    ...["usr/bin/busybox", "usr/bin/crun", "usr/bin/containerd-shim-runc-v2", "usr/bin/mkfs.erofs", "usr/bin/tini-static", "usr/libexec/virtiofsd"],
    // Speaks to the engine's socket for the window; the `docker` CLI brings its own.
    "usr/libexec/docker/cli-plugins/docker-compose",
    // Static: it runs the other architecture's programs in containers that have none of our libraries.
    `usr/bin/${foreign(arch).program}`,
    ...["usr/sbin/mkfs.xfs", "usr/sbin/xfs_repair", "usr/sbin/xfs_growfs", "usr/sbin/nft"],
    // Fetch the contexts of builds, in a sandbox.
    ...["usr/bin/git", "usr/lib/git-core/git-remote-http", "usr/lib/git-core/git-remote-https", "usr/bin/ssh"],
    // Opened by name at run time: libnftables by the engine, libgcc_s by a thread's end, the rest by the resolver.
    ...["libnftables.so.1", "libgcc_s.so.1", "libnss_files.so.2", "libnss_dns.so.2", "libresolv.so.2", "librt.so.1", "libutil.so.1"].map(
      (name) => `usr/lib/${triplet(arch)}/${name}`,
    ),
  ],
  data: [["usr/share/gocode/src/github.com/docker/docker/profiles/seccomp/default.json", "usr/share/slipway/seccomp.json"]],
});

/** Directories that exist empty: mount points and places for state. */
export const directories: readonly string[] = [
  ...["dev", "proc", "sys", "run", "tmp", "host", "root", "etc", "mnt", "opt", "srv", "home", "boot"],
  ...["var/lib/slipway", "var/log", "var/tmp", "usr/lib/slipway", "usr/share/slipway", "usr/local/bin", "etc/ssl/certs"],
];

/** Links at the top of a merged-usr tree, and those programs expect. */
export const links = (arch: Arch): readonly (readonly [path: string, target: string])[] => [
  ["bin", "usr/bin"],
  ["sbin", "usr/sbin"],
  ["lib", "usr/lib"],
  ...(arch === "amd64" ? ([["lib64", "usr/lib64"]] as const) : []),
  ["var/run", "/run"],
  ...["init", "modprobe", "poweroff", "reboot", "halt"].map((applet) => [`usr/sbin/${applet}`, "../bin/busybox"] as const),
  ["etc/resolv.conf", "/var/lib/resolv.conf"],
  ["etc/mtab", "/proc/self/mounts"],
  ["etc/ssl/cert.pem", "certs/ca-certificates.crt"],
];

export const files: readonly (readonly [path: string, text: string])[] = [
  ["etc/passwd", "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"],
  ["etc/group", "root:x:0:\ntty:x:5:\ndisk:x:6:\nnogroup:x:65534:\n"],
  ["etc/hostname", "slipway\n"],
  ["etc/hosts", "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n127.0.1.1 slipway\n"],
  ["etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n"],
  ["etc/os-release", 'ID=slipway\nID_LIKE=debian\nNAME="Slipway"\nPRETTY_NAME="Slipway (Debian trixie)"\nVERSION_ID="13"\n'],
];
