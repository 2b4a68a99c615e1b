import type { ErrorClass } from "#base/errors.ts";

/** The one table from what failed to what HTTP calls it. */
export const statusOf: Readonly<Record<ErrorClass, number>> = {
  notFound: 404,
  conflict: 409,
  invalidArgument: 400,
  notModified: 304,
  unauthorized: 401,
  forbidden: 403,
  unavailable: 503,
  notImplemented: 501,
  exhausted: 507,
  cancelled: 500,
  internal: 500,
};
