/** When a request is sent again: only where that cannot do a thing twice. */
import { Problem, problemOf, ServiceAway } from "./problems.js";

/** How often and after how long; waits double and are spread by chance. */
export interface Retries {
  attempts: number;
  firstWaitMs: number;
  longestWaitMs: number;
}

export const RETRIES: Retries = { attempts: 5, firstWaitMs: 200, longestWaitMs: 30_000 };

const REPEATABLE = new Set(["GET", "HEAD", "PUT", "DELETE"]);
const NOTHING_WAS_DONE = new Set([429, 503]);
const GATEWAY = new Set([502, 504]);

/** The answer to a request of less than 400; Problem or ServiceAway after the last attempt. */
export async function sendAgain(
  service: string,
  request: Request,
  send: (request: Request) => Promise<Response>,
  retries: Retries,
): Promise<Response> {
  const repeatable = REPEATABLE.has(request.method) || request.headers.has("idempotency-key");
  for (let attempt = 1; ; attempt++) {
    const last = attempt >= retries.attempts;
    let askedMs = 0;
    try {
      const response = await send(request.clone());
      if (response.status < 400) return response;
      const problem = await problemOf(response);
      const again =
        NOTHING_WAS_DONE.has(problem.status) || (GATEWAY.has(problem.status) && repeatable);
      if (!again || last) throw problem;
      askedMs = (problem.retryAfterS ?? 0) * 1000;
    } catch (failure) {
      if (failure instanceof Problem) throw failure;
      if (!repeatable || last) throw new ServiceAway(service, failure);
    }
    const spreadMs = retries.firstWaitMs * (2 ** (attempt - 1) + Math.random());
    const waitMs = Math.min(Math.max(spreadMs, askedMs), retries.longestWaitMs);
    await new Promise((resolve) => setTimeout(resolve, waitMs));
  }
}
