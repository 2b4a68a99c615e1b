/**
 * One rtnetlink socket, used as a conversation: send one request, read until it is acknowledged (or its dump is done).
 * netlink(7), rtnetlink(7); the kernel answers within send(2), so reading never waits in practice.
 */
import { closeSync } from "node:fs";
import { KernelError, type Netlink } from "#core/kernel/kernel.ts";
import { c, check, errnoName } from "./libc.ts";

const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC = 3 | 0o2000000;
const NETLINK_ROUTE = 0;
const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;
const SOL_NETLINK = 270;
const NETLINK_EXT_ACK = 11;
const HEADER_BYTES = 16;
const MSG = { NOOP: 1, ERROR: 2, DONE: 3 } as const;
const NLM_F = { REQUEST: 1, ACK: 4, DUMP: 0x300, CAPPED: 0x100, ACK_TLVS: 0x200 } as const;
const NLMSGERR_ATTR_MSG = 1;
/** The kernel fills at most this much of one read while it dumps (NLMSG_GOODSIZE grows to 32 KiB). Shared: every use is synchronous. */
const answer = Buffer.alloc(64 * 1024);
const ANSWER_SECONDS_MAX = 5;

export class NetlinkSocket implements Netlink {
  #fd: number;
  #sequence = 0;

  constructor() {
    this.#fd = check(c.socket(AF_NETLINK, SOCK_RAW_CLOEXEC, NETLINK_ROUTE), "socket", "rtnetlink");
    const timeout = Buffer.alloc(16);
    timeout.writeBigInt64LE(BigInt(ANSWER_SECONDS_MAX), 0);
    check(c.setsockopt(this.#fd, SOL_SOCKET, SO_RCVTIMEO, timeout, timeout.length), "set timeout of", "rtnetlink");
    // Kernels before 4.12 do not know it: then errors come without a sentence.
    c.setsockopt(this.#fd, SOL_NETLINK, NETLINK_EXT_ACK, Buffer.from([1, 0, 0, 0]), 4);
  }

  request(type: number, flags: number, payload: Uint8Array): readonly Uint8Array[] {
    const sequence = (this.#sequence += 1);
    const dump = (flags & NLM_F.DUMP) === NLM_F.DUMP;
    const message = Buffer.alloc(HEADER_BYTES + payload.length);
    message.writeUInt32LE(message.length, 0);
    message.writeUInt16LE(type, 4);
    message.writeUInt16LE(flags | NLM_F.REQUEST | (dump ? 0 : NLM_F.ACK), 6);
    message.writeUInt32LE(sequence, 8);
    message.set(payload, HEADER_BYTES);
    check(c.send(this.#fd, message, message.length, 0), "send", `rtnetlink request ${type}`);
    return this.#answers(type, sequence);
  }

  #answers(type: number, sequence: number): Uint8Array[] {
    const found: Uint8Array[] = [];
    for (;;) {
      const buffer = answer;
      const length = check(c.recv(this.#fd, buffer, buffer.length, 0), "receive answer to", `rtnetlink request ${type}`);
      for (let at = 0; at + HEADER_BYTES <= length; ) {
        const size = buffer.readUInt32LE(at);
        const kind = buffer.readUInt16LE(at + 4);
        const body = buffer.subarray(at + HEADER_BYTES, at + size);
        // An answer to an earlier request that was given up on is not ours.
        const ours = buffer.readUInt32LE(at + 8) === sequence;
        if (ours && kind === MSG.DONE) return found;
        if (ours && kind === MSG.ERROR) {
          const errno = -body.readInt32LE(0);
          if (errno === 0) return found;
          throw new KernelError("rtnetlink", `request ${type}${sentence(body, buffer.readUInt16LE(at + 6))}`, errnoName(errno));
        }
        if (ours && kind !== MSG.NOOP) found.push(Uint8Array.from(body));
        at += (size + 3) & ~3;
      }
    }
  }

  [Symbol.dispose](): void {
    if (this.#fd < 0) return;
    closeSync(this.#fd);
    this.#fd = -1;
  }
}

/** The kernel's explanation (struct nlmsgerr, then the request or its header, then attributes), as ` (sentence)`. */
function sentence(body: Buffer, flags: number): string {
  if ((flags & NLM_F.ACK_TLVS) === 0) return "";
  const echoed = (flags & NLM_F.CAPPED) !== 0 ? HEADER_BYTES : body.readUInt32LE(4);
  for (let at = 4 + ((echoed + 3) & ~3); at + 4 <= body.length; ) {
    const size = body.readUInt16LE(at);
    if (size < 4) break;
    if (body.readUInt16LE(at + 2) === NLMSGERR_ATTR_MSG) return ` (${body.toString("utf8", at + 4, at + size).replace(/\0+$/, "")})`;
    at += (size + 3) & ~3;
  }
  return "";
}
