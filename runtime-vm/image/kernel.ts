import type { Arch } from "./recipe.ts";

/** Kernel modules the image carries, by when they are loaded. What a kernel has built in may be named all the same. */
export interface KernelModules {
  /** By the initramfs: what it takes to mount the root image. */
  readonly root: readonly string[];
  /** Before the engine starts. */
  readonly early: readonly string[];
  /** While the engine starts. */
  readonly late: readonly string[];
  /** Only when something asks for them by their alias. */
  readonly onDemand: readonly string[];
}

export const kernelModules = (arch: Arch): KernelModules => ({
  // libcrc32c asks for some crc32c as it is loaded, which no table of modules tells; on arm64 the generic one is the fast one.
  root: ["virtio_pci", "virtio_mmio", "virtio_blk", "crc32c_generic", ...(arch === "amd64" ? ["crc32c_intel"] : []), "erofs"],
  early: ["virtio_console", "virtio_net", "xfs"],
  late: [
    ...["overlay", "loop", "virtio_balloon", "virtio_rng", "bridge", "br_netfilter", "veth"],
    ...["nf_tables", "nf_conntrack", "nf_nat", "nft_chain_nat", "nft_ct", "nft_nat", "nft_masq", "nft_redir", "nft_fib_inet", "nft_reject_inet"],
  ],
  onDemand: [
    // Shared folders, images in files, network file systems of volumes.
    ...["virtiofs", "fuse", "9p", "9pnet_virtio", "ext4", "squashfs", "isofs", "vfat", "nls_ascii", "nls_cp437", "nls_utf8", "nfs", "nfsv3", "nfsv4", "cifs"],
    // SMB signs and encrypts by names of ciphers, which no table of modules tells.
    ...["cmac", "ccm", "gcm", "ghash-generic"],
    // What goes through published ports past the first packets takes a short way.
    ...["nf_flow_table", "nf_flow_table_inet", "nft_flow_offload"],
    // Network drivers, and interfaces that containers with NET_ADMIN make.
    ...["macvlan", "ipvlan", "vxlan", "dummy", "tun", "wireguard", "ipip", "8021q", "sch_htb", "sch_netem", "sch_ingress", "cls_u32"],
    // nftables as containers use it.
    ...["nft_compat", "nft_fib_ipv4", "nft_fib_ipv6", "nft_reject_ipv4", "nft_reject_ipv6", "nft_limit", "nft_log", "nft_numgen", "nft_quota", "nft_connlimit"],
    ...["nft_hash", "nft_queue", "nft_socket", "nft_tproxy", "nf_log_syslog", "nf_conntrack_netlink", "nfnetlink_queue", "nfnetlink_log"],
    // iptables of either kind, and what Kubernetes in a container wants.
    ...["ip_tables", "iptable_nat", "iptable_filter", "iptable_mangle", "iptable_raw", "ip6_tables", "ip6table_nat", "ip6table_filter", "ip6table_mangle"],
    ...["ipt_REJECT", "ip6t_REJECT", "xt_MASQUERADE", "xt_REDIRECT", "xt_nat", "xt_conntrack", "xt_addrtype", "xt_comment", "xt_mark", "xt_connmark"],
    ...["xt_multiport", "xt_tcpudp", "xt_statistic", "xt_recent", "xt_limit", "xt_owner", "xt_TPROXY", "xt_set", "ip_set_hash_ip", "ip_set_hash_net"],
    ...["ip_vs", "ip_vs_rr", "ip_vs_sh", "ip_vs_wrr"],
    // The other architecture's programs; talk to the host.
    ...["binfmt_misc", "vsock", "vmw_vsock_virtio_transport", "qemu_fw_cfg"],
  ],
});

export const allModules = ({ root, early, late, onDemand }: KernelModules): readonly string[] => [...root, ...early, ...late, ...onDemand];
