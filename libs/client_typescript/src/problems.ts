/** What a service answers when it says no (RFC 9457), as an exception. */

/** What is wrong with one field: `pointer` into the body (RFC 6901), or a `parameter`. */
export interface FieldError {
  detail: string;
  pointer?: string;
  parameter?: string;
}

/** A service refused a request; `code` is the stable name of the reason (docs/problems.md). */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly detail: string,
    readonly errors: readonly FieldError[],
    readonly correlationId: string | null,
    readonly retryAfterS: number | null,
  ) {
    const faults = errors.map((e) => `${e.pointer ?? e.parameter}: ${e.detail}`);
    super([`${status} ${code}: ${detail}`, ...faults].join("; "));
    this.name = "Problem";
  }
}

/** A service does not answer, after every attempt. */
export class ServiceAway extends Error {
  constructor(service: string, cause: unknown) {
    super(`${service} does not answer: ${String(cause)}`, { cause });
    this.name = "ServiceAway";
  }
}

/** The exception for an answer of 400 or more; one that is no problem has the code `http_<status>`. */
export async function problemOf(response: Response): Promise<Problem> {
  const isProblem = response.headers.get("content-type")?.startsWith("application/problem+json");
  const text = await response.text();
  const known = isProblem ? objectOf(text) : {};
  const after = Number(response.headers.get("retry-after") ?? "");
  return new Problem(
    response.status,
    typeof known["code"] === "string" ? known["code"] : `http_${response.status}`,
    typeof known["detail"] === "string" ? known["detail"] : "the answer says no more",
    Array.isArray(known["errors"]) ? (known["errors"] as FieldError[]) : [],
    response.headers.get("x-correlation-id"),
    response.headers.has("retry-after") && Number.isFinite(after) ? after : null,
  );
}

function objectOf(text: string): Record<string, unknown> {
  try {
    const read: unknown = JSON.parse(text);
    return typeof read === "object" && read !== null ? (read as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
