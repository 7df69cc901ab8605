import { step as timed, Stop, usually } from "../lib/terminal.mjs";
import { environment } from "./environment.mjs";
import { gatherFacts } from "./facts.mjs";
import { plan } from "./plan.mjs";
import { cleanUp, STEPS } from "./steps.mjs";

/** Prints what `setUp` would do, and why; the exit code says whether it can be done. */
export async function showPlan(wants) {
  const { steps, remedies, way } = plan(await gatherFacts(wants), wants);
  if (remedies.length > 0) {
    console.log(remedies.join("\n"));
    return 1;
  }
  console.log(way + ".");
  if (steps.length === 0) console.log("Nothing is missing.");
  steps.forEach(({ what, why, seconds }, i) => {
    console.log(`${i + 1}. ${what}\n   because ${why}; usually ${usually(seconds)}`);
  });
  return 0;
}

/**
 * Makes everything that is missing, or stops with a remedy. Gives the environment for our commands.
 * After each step the machine is looked at again, so that a way that turns out to be closed leads to the next one.
 */
export async function setUp(wants) {
  const closed = {};
  const done = new Set();
  try {
    for (;;) {
      const facts = { ...(await gatherFacts(wants)), ...closed };
      const { steps, remedies, rust, way } = plan(facts, wants);
      if (remedies.length > 0) throw new Stop(remedies.join("\n"));
      const [next] = steps;
      if (!next) {
        if (done.size > 0 || wants.tell) console.log(`${done.size > 0 ? "All set up" : "Nothing is missing"}: ${way}.`);
        return environment(facts, rust);
      }
      const name = `${next.id} ${next.name ?? ""}`;
      if (done.has(name)) throw new Stop(`${next.what}: done, and yet ${next.why}.`);
      try {
        if (next.id === "std" || next.id === "rustup") console.log(`Taking this way: ${way}.`);
        await timed(next.what, next.seconds, () => STEPS[next.id](next, facts, environment(facts, rust)));
      } catch (error) {
        if (next.id !== "rustup") throw error;
        closed.rustupDownloads = false;
      }
      done.add(name);
    }
  } finally {
    cleanUp();
  }
}
