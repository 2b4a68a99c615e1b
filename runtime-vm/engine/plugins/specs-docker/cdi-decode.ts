/** Reads what was parsed out of a CDI specification, as strictly as the library that dockerd uses: an unknown field makes it invalid. */
export type Decode<T> = (value: unknown, field: string) => T;

/** YAML reads `name: 3` and `name: yes` as no strings. */
export const text: Decode<string> = (value, field) => {
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  throw new Error(`${field} is no string`);
};

export const whole: Decode<number> = (value, field) => {
  if (Number.isInteger(value)) return value as number;
  throw new Error(`${field} is no whole number`);
};

export const flag: Decode<boolean> = (value, field) => {
  if (typeof value === "boolean") return value;
  throw new Error(`${field} is neither true nor false`);
};

export const list =
  <T>(of: Decode<T>): Decode<readonly T[]> =>
  (value, field) => {
    if (!Array.isArray(value)) throw new Error(`${field} is no list`);
    return value.map((one, i) => of(one, `${field}[${i}]`));
  };

export const texts: Decode<Readonly<Record<string, string>>> = (value, field) =>
  Object.fromEntries(Object.entries(objectIn(value, field)).map(([name, one]) => [name, text(one, `${field}.${name}`)]));

type Fields = Readonly<Record<string, Decode<unknown>>>;

/** Every field may be absent, or null. */
export const record =
  <F extends Fields>(fields: F): Decode<{ readonly [K in keyof F]?: ReturnType<F[K]> }> =>
  (value, field) => {
    const given = Object.entries(objectIn(value, field)).filter(([, one]) => one !== null);
    const read = given.map(([name, one]) => {
      const decode = Object.hasOwn(fields, name) ? fields[name] : undefined;
      if (decode === undefined) throw new Error(`unknown field ${JSON.stringify(name)}`);
      return [name, decode(one, field === "" ? name : `${field}.${name}`)] as const;
    });
    return Object.fromEntries(read) as { readonly [K in keyof F]?: ReturnType<F[K]> };
  };

function objectIn(value: unknown, field: string): object {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  throw new Error(field === "" ? "it holds no object" : `${field} is no object`);
}
