import { spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import path from "node:path";
import { createInterface } from "node:readline";

const running = new Set();
const SERVER = path.resolve(import.meta.dirname, "../../server.js");

/** Starts the app as Sluice does: a process that has `env` and nothing else. Resolves when it listens. */
export async function startApp(env = {}) {
  const child = spawn(process.execPath, [SERVER], {
    env: { PORT: "0", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const exited = once(child, "exit").then(([code, signal]) => {
    running.delete(child);
    return { code, signal };
  });
  running.add(child);
  const events = new EventEmitter();
  const lines = [];
  let errors = "";
  child.stderr.on("data", (text) => (errors += text));
  createInterface({ input: child.stdout }).on("line", (line) => {
    lines.push(line);
    const fields = JSON.parse(line);
    events.emit(fields.event, fields);
  });
  const started = await Promise.race([once(events, "started"), exited]);
  if (!Array.isArray(started))
    throw new Error(`The app ended at once with ${JSON.stringify(started)}: ${errors}`);

  return {
    address: started[0].address,
    pid: child.pid,
    exited,
    output: () => lines.join("\n") + errors,
    /** Resolves when the app has said that it is stopping: from then on it accepts no connection. */
    async signal(name) {
      const stopping = once(events, "stopping");
      child.kill(name);
      await stopping;
    },
    kill: (name) => child.kill(name),
  };
}

/** Kills all that `startApp` started, also what a failing test has forgotten. */
export async function endApps() {
  const exits = [...running].map((child) => once(child, "exit"));
  for (const child of running) child.kill("SIGKILL");
  await Promise.all(exits);
}
