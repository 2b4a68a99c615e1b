/** Names of variables whose values are not shown until asked for. */
export const isSecretName = (name: string): boolean => /KEY|TOKEN|PASS|SECRET/i.test(name);

/** A copy of an inspect answer with the values of such variables hidden, for showing and copying. */
export function masked(value: unknown, inEnv = false): unknown {
  if (inEnv && typeof value === "string") {
    const [name = ""] = value.split("=");
    return isSecretName(name) && value.includes("=") ? `${name}=••••••` : value;
  }
  if (Array.isArray(value)) return value.map((item: unknown) => masked(item, inEnv));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, child]: [string, unknown]) => [key, masked(child, key === "Env")]));
}
