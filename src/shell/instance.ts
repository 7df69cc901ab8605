// What depends on the one wasm instance of this isolate.
//
// After a trap the instance is replaced at the next call into it (worker-build's shim does that), and every Rust
// future that was pending is gone without a word (workers-rs 0.8.7, seen on workerd 1.20261023).

const pending = new Set<() => void>();

/** What Rust promised, or nothing when the wasm instance is lost before it keeps that. */
export async function orLost<T>(promise: Promise<T>): Promise<T | undefined> {
  let lost = (): void => {};
  const loss = new Promise<undefined>((resolve) => (lost = () => resolve(undefined)));
  pending.add(lost);
  try {
    return await Promise.race([promise, loss]);
  } finally {
    pending.delete(lost);
  }
}

/** Runs a call into Rust; answers 500 when the wasm instance is lost before it does. */
export async function failWithInstance(call: () => Promise<Response>): Promise<Response> {
  // The answer is made here: a response of another request's making cannot be sent by this one.
  return (await orLost(call())) ?? internalError();
}

/** To be called when a trap was caught: whoever waits for the lost instance is answered. */
export function instanceLost(): void {
  for (const lost of pending) lost();
  pending.clear();
}

/** The error envelope of something that went wrong on our side. */
export function internalError(): Response {
  const body = { detail: "Something went wrong on our side.", code: "internal" };
  return Response.json(body, { status: 500 });
}
