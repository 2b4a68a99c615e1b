/**
 * Protocol buffers' wire format (protobuf.dev/programming-guides/encoding), as much of it as BuildKit's messages use: varints and
 * length-delimited fields; both fixed widths are skipped. Fields with proto3's zero value are left out.
 */
export class Writer {
  readonly #parts: Uint8Array[] = [];

  int(field: number, value: number | bigint): this {
    if (value !== 0 && value !== 0n) this.#parts.push(varint(field * 8), varint(value));
    return this;
  }

  bool(field: number, value: boolean): this {
    return this.int(field, value ? 1 : 0);
  }

  text(field: number, value: string): this {
    return value === "" ? this : this.bytes(field, Buffer.from(value));
  }

  texts(field: number, values: readonly string[]): this {
    for (const value of values) this.bytes(field, Buffer.from(value));
    return this;
  }

  bytes(field: number, value: Uint8Array): this {
    this.#parts.push(varint(field * 8 + 2), varint(value.length), value);
    return this;
  }

  message(field: number, value: Writer | undefined): this {
    return value === undefined ? this : this.bytes(field, value.done());
  }

  messages(field: number, values: readonly Writer[]): this {
    for (const value of values) this.message(field, value);
    return this;
  }

  /** A map is a list of pairs. */
  map(field: number, entries: Readonly<Record<string, string | Uint8Array>>): this {
    for (const [key, value] of Object.entries(entries)) {
      const pair = new Writer().text(1, key);
      this.message(field, typeof value === "string" ? pair.text(2, value) : pair.bytes(2, value));
    }
    return this;
  }

  /** google.protobuf.Timestamp. */
  time(field: number, date: Date | undefined): this {
    if (date === undefined) return this;
    const ms = date.getTime();
    const seconds = Math.floor(ms / 1000);
    return this.message(field, new Writer().int(1, seconds).int(2, Math.round((ms - seconds * 1000) * 1e6)));
  }

  done(): Buffer {
    return Buffer.concat(this.#parts);
  }
}

/** A decoded message: every value of each field, in order. */
export class Reader {
  readonly #numbers = new Map<number, bigint>();
  readonly #bytes = new Map<number, Buffer[]>();

  constructor(message: Buffer) {
    for (let at = 0; at < message.length; ) {
      const tag = readVarint(message, at);
      at = tag.next;
      const [field, wire] = [Number(tag.value >> 3n), Number(tag.value & 7n)];
      if (wire === 0) {
        const number = readVarint(message, at);
        this.#numbers.set(field, number.value);
        at = number.next;
      } else if (wire === 2) {
        const length = readVarint(message, at);
        at = length.next + Number(length.value);
        if (at > message.length) throw new RangeError(`protobuf: field ${field} ends past its message`);
        this.#bytes.set(field, [...(this.#bytes.get(field) ?? []), message.subarray(length.next, at)]);
      } else if (wire === 1) at += 8;
      else if (wire === 5) at += 4;
      else throw new RangeError(`protobuf: field ${field} has wire type ${wire}, which no proto3 message uses`);
    }
  }

  int(field: number): number {
    return Number(BigInt.asIntN(64, this.#numbers.get(field) ?? 0n));
  }

  bigint(field: number): bigint {
    return BigInt.asIntN(64, this.#numbers.get(field) ?? 0n);
  }

  bool(field: number): boolean {
    return this.int(field) !== 0;
  }

  has(field: number): boolean {
    return this.#bytes.has(field) || this.#numbers.has(field);
  }

  bytes(field: number): Buffer {
    return this.#bytes.get(field)?.at(-1) ?? Buffer.alloc(0);
  }

  text(field: number): string {
    return this.bytes(field).toString("utf8");
  }

  texts(field: number): string[] {
    return (this.#bytes.get(field) ?? []).map((value) => value.toString("utf8"));
  }

  message(field: number): Reader {
    return new Reader(this.bytes(field));
  }

  messages(field: number): Reader[] {
    return (this.#bytes.get(field) ?? []).map((value) => new Reader(value));
  }

  map(field: number): Map<string, string> {
    return new Map(this.messages(field).map((pair) => [pair.text(1), pair.text(2)]));
  }
}

function varint(value: number | bigint): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  while (rest >= 128n) {
    bytes.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Buffer.from(bytes);
}

function readVarint(message: Buffer, start: number): { value: bigint; next: number } {
  let value = 0n;
  for (let at = start, shift = 0n; at < message.length && shift < 70n; at += 1, shift += 7n) {
    const byte = message[at] ?? 0;
    value |= BigInt(byte & 127) << shift;
    if (byte < 128) return { value, next: at + 1 };
  }
  throw new RangeError(`protobuf: no end of the number at byte ${start}`);
}
