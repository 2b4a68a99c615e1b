/**
 * Protocol buffers' wire format (protobuf.dev/programming-guides/encoding), the part the shim's messages use: varints, length-delimited
 * fields and, for skipping what we do not know, the two fixed widths. Fields with proto3's zero value are left out.
 */
export class ProtoWriter {
  readonly #parts: Uint8Array[] = [];

  uint(field: number, value: number): this {
    if (value !== 0) this.#parts.push(varint(field * 8), varint(value));
    return this;
  }

  bool(field: number, value: boolean): this {
    return this.uint(field, value ? 1 : 0);
  }

  string(field: number, value: string): this {
    return value === "" ? this : this.bytes(field, Buffer.from(value));
  }

  bytes(field: number, value: Uint8Array): this {
    this.#parts.push(varint(field * 8 + 2), varint(value.length), value);
    return this;
  }

  finish(): Buffer {
    return Buffer.concat(this.#parts);
  }
}

/** A decoded message: the last value of each field; strings and sub-messages as their bytes. */
export class ProtoReader {
  readonly #numbers = new Map<number, number>();
  readonly #bytes = new Map<number, Buffer>();

  constructor(message: Buffer) {
    let at = 0;
    while (at < message.length) {
      const tag = readVarint(message, at);
      at = tag.next;
      const field = Math.floor(tag.value / 8);
      const wire = tag.value % 8;
      if (wire === 0) {
        const number = readVarint(message, at);
        this.#numbers.set(field, number.value);
        at = number.next;
      } else if (wire === 2) {
        const length = readVarint(message, at);
        at = length.next + length.value;
        if (at > message.length) throw new RangeError(`protobuf: field ${field} is ${length.value} bytes long, past the end of its message`);
        this.#bytes.set(field, message.subarray(length.next, at));
      } else if (wire === 1) at += 8;
      else if (wire === 5) at += 4;
      else throw new RangeError(`protobuf: field ${field} has wire type ${wire}, which no proto3 message uses`);
    }
  }

  uint(field: number): number {
    return this.#numbers.get(field) ?? 0;
  }

  bytes(field: number): Buffer {
    return this.#bytes.get(field) ?? Buffer.alloc(0);
  }

  string(field: number): string {
    return this.bytes(field).toString();
  }
}

/** google.protobuf.Any. */
export const any = (typeUrl: string, value: Uint8Array): Buffer => new ProtoWriter().string(1, typeUrl).bytes(2, value).finish();

/** google.protobuf.Timestamp; absent or zero gives undefined. */
export function readTimestamp(message: Buffer): Date | undefined {
  const reader = new ProtoReader(message);
  const seconds = reader.uint(1);
  // Go's zero time is the year 1: a negative number of seconds.
  return seconds > 0 ? new Date(seconds * 1000 + Math.floor(reader.uint(2) / 1e6)) : undefined;
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
  return Buffer.from(bytes);
}

/** 64 bits, as a number: exact up to 2^53, negative for the upper half of the signed range. */
function readVarint(message: Buffer, start: number): { value: number; next: number } {
  let value = 0n;
  for (let at = start, shift = 0n; at < message.length && shift < 70n; at++, shift += 7n) {
    const byte = message[at] ?? 0;
    value |= BigInt(byte & 127) << shift;
    if (byte < 128) return { value: Number(BigInt.asIntN(64, value)), next: at + 1 };
  }
  throw new RangeError(`protobuf: no end of the number at byte ${start}`);
}
