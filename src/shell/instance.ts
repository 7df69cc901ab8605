// What depends on the one wasm instance of this isolate.
//
// After a trap the instance is replaced at the next call into it (worker-build's shim does that), and every Rust
// future that was pending is gone without a word (workers-rs 0.8.7, seen on workerd 1.20261023).

const pending = new Set<(reason: Response) => void>();

/** Runs a call into Rust; answers 500 when the wasm instance is lost before it does. */
export function failWithInstance(call: () => Promise<Response>): Promise<Response> {
  return new Promise((resolve, reject) => {
    pending.add(resolve);
    call()
      .then(resolve, reject)
      .finally(() => pending.delete(resolve));
  });
}

/** To be called when a trap was caught: whoever waits for the lost instance is answered. */
export function instanceLost(): void {
  for (const resolve of pending) resolve(internalError());
  pending.clear();
}

/** The error envelope of something that went wrong on our side. */
export function internalError(): Response {
  const body = { detail: "Something went wrong on our side.", code: "internal" };
  return Response.json(body, { status: 500 });
}
