// Telling users' objects that an entry of their contacts is out of date.

/** The runtime lets six requests of one object wait for their answers at once. */
const AT_ONCE = 6;
/** Milliseconds before a further try. After the last one the room is told and tries again with its next message. */
const RETRY_AFTER_MS = [0, 500, 2_000];

interface Tell {
  user: string;
  body: string;
}

export async function tellUsers(
  users: DurableObjectNamespace,
  tells: Tell[],
  failed: (user: string) => void,
): Promise<void> {
  const queue = [...tells];
  const work = async (): Promise<void> => {
    for (let tell = queue.shift(); tell; tell = queue.shift()) {
      if (!(await told(users, tell))) failed(tell.user);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

async function told(users: DurableObjectNamespace, { user, body }: Tell): Promise<boolean> {
  for (const delay of RETRY_AFTER_MS) {
    if (delay > 0) await new Promise((resume) => setTimeout(resume, delay));
    try {
      const answer = await users.getByName(user).fetch("https://user/", { method: "POST", body });
      await answer.arrayBuffer();
      if (answer.ok) return true;
    } catch {
      // tried again
    }
  }
  return false;
}
