import { spawn } from "node:child_process";
import { once } from "node:events";

const LIMIT_MS = 180_000;
const GRACE_MS = 30_000;

export interface TestRun {
  readonly isPassed: boolean;
  readonly seconds: number;
  readonly output: string;
}

/** Runs test files up to the first failure. Tests that take longer than three minutes have failed. */
export async function runTests(
  folder: string,
  files: readonly string[],
  only: string | undefined,
): Promise<TestRun> {
  const began = performance.now();
  const grep = only === undefined ? [] : ["--fgrep", only];
  const mocha = spawn("node_modules/.bin/mocha", ["--bail", "--fail-zero", ...grep, ...files], {
    cwd: folder,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [mocha.stdout, mocha.stderr])
    stream.on("data", (chunk: Buffer) => (output += String(chunk)));
  const signal = (name: NodeJS.Signals): void => {
    if (mocha.pid !== undefined && mocha.exitCode === null) process.kill(-mocha.pid, name);
  };
  // At the first signal mocha still cleans up.
  const timers = [
    setTimeout(() => signal("SIGINT"), LIMIT_MS),
    setTimeout(() => signal("SIGKILL"), LIMIT_MS + GRACE_MS),
  ];
  await once(mocha, "exit");
  timers.forEach(clearTimeout);
  const seconds = (performance.now() - began) / 1000;
  return { isPassed: mocha.exitCode === 0, seconds, output };
}
