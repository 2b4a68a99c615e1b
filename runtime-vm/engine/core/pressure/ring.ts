import { type PressureField, type PressureSeries, pressureFields } from "#api/pressure.ts";

/** How fine, and how many: 5 s for 15 minutes, a minute for 3 hours, 10 minutes for a day. */
const resolutions = [
  { stepSeconds: 5, steps: 180 },
  { stepSeconds: 60, steps: 180 },
  { stepSeconds: 600, steps: 144 },
] as const;
export const sampleSeconds = resolutions[0].stepSeconds;

/** Means over steps of one length, the last so many of them. Its size never changes. */
class Ring {
  readonly #stepSeconds: number;
  /** Which step a place holds; -1: none yet. */
  readonly #step: Int32Array;
  readonly #sums: Float64Array;
  readonly #counts: Uint8Array;

  constructor({ stepSeconds, steps }: (typeof resolutions)[number]) {
    this.#stepSeconds = stepSeconds;
    this.#step = new Int32Array(steps).fill(-1);
    this.#sums = new Float64Array(steps * pressureFields.length);
    this.#counts = new Uint8Array(steps * pressureFields.length);
  }

  add(second: number, values: readonly (number | undefined)[]): void {
    const step = Math.floor(second / this.#stepSeconds);
    const place = step % this.#step.length;
    const first = place * pressureFields.length;
    if (this.#step[place] !== step) {
      this.#step[place] = step;
      this.#sums.fill(0, first, first + pressureFields.length);
      this.#counts.fill(0, first, first + pressureFields.length);
    }
    for (const [field, value] of values.entries()) {
      if (value === undefined || this.#counts[first + field] === 255) continue;
      this.#sums[first + field] = (this.#sums[first + field] ?? 0) + value;
      this.#counts[first + field] = (this.#counts[first + field] ?? 0) + 1;
    }
  }

  /** Oldest first, without those that a clock set back has put in the future. */
  series(second: number, fields: readonly number[]): PressureSeries {
    const now = Math.floor(second / this.#stepSeconds);
    const points: (number | null)[][] = [];
    for (let step = Math.max(0, now - this.#step.length + 1); step <= now; step++) {
      const place = step % this.#step.length;
      if (this.#step[place] === step) points.push([step * this.#stepSeconds, ...fields.map((field) => this.#mean(place * pressureFields.length + field))]);
    }
    return { StepSeconds: this.#stepSeconds, Points: points };
  }

  #mean(at: number): number | null {
    const count = this.#counts[at] ?? 0;
    return count === 0 ? null : rounded((this.#sums[at] ?? 0) / count);
  }
}

/** Bytes whole, parts of the time to a millionth. */
const rounded = (value: number): number => (value > 1_000 ? Math.round(value) : Math.round(value * 1e6) / 1e6);

/** One subject's history: about 55 KB, whatever happens. */
export class History {
  readonly #rings = resolutions.map((resolution) => new Ring(resolution));
  readonly #seen = new Set<number>();

  add(second: number, values: Partial<Readonly<Record<PressureField, number>>>): void {
    const row = pressureFields.map((field) => values[field]);
    for (const [field, value] of row.entries()) if (value !== undefined) this.#seen.add(field);
    for (const ring of this.#rings) ring.add(second, row);
  }

  read(second: number): { readonly Fields: PressureField[]; readonly Series: PressureSeries[] } {
    const fields = pressureFields.flatMap((_, index) => (this.#seen.has(index) ? [index] : []));
    return { Fields: pressureFields.filter((_, index) => fields.includes(index)), Series: this.#rings.map((ring) => ring.series(second, fields)) };
  }
}
