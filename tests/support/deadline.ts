/** Waits for `promise`, at most `ms` milliseconds; then fails with what was waited for. */
export function within<T>(ms: number, what: string | (() => string), promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, fail) => {
    timer = setTimeout(() => fail(new Error(`Not within ${ms} ms: ${typeof what === "string" ? what : what()}`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** Asks `probe` again and again until it answers something other than `undefined`; fails after `ms` milliseconds. */
export async function eventually<T>(ms: number, what: string, probe: () => Promise<T | undefined>, every = 50): Promise<T> {
  const end = Date.now() + ms;
  for (;;) {
    const found = await probe();
    if (found !== undefined) return found;
    if (Date.now() > end) throw new Error(`Not within ${ms} ms: ${what}`);
    await new Promise((done) => setTimeout(done, every));
  }
}

/** Lets real time pass. Only for tests whose subject is real time. */
export function realTime(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}
