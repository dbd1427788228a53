import { entry, printable } from "../catalogue-entry.js";

/** The steps of a release. */
export const stepsErrors = {
  "dependencies-failed": entry<{ command: string; status: string }>(
    422,
    ({ command, status }) => `${command} failed (${status}).`,
    () => "Its output is above. To reproduce it, run the same command in a fresh clone.",
  ),
  "gate-failed": entry<{ gate: string; status: string }>(
    422,
    ({ gate, status }) => `The gate ${gate} failed (${status}).`,
    () => "Its output is above. Fix it, commit and push again. What ran before keeps running.",
  ),
  "build-failed": entry<{ command: string; status: string }>(
    422,
    ({ command, status }) => `The build failed: ${command} (${status}).`,
    () => "Its output is above. Fix it, commit and push again. What ran before keeps running.",
  ),
  "task-failed": entry<{ task: string; status: string }>(
    422,
    ({ task, status }) => `Execution of ${task} task failed (${status}).`,
    () => "Its output is above. Fix it, commit and push again. What ran before keeps running.",
  ),
  "step-timeout": entry<{ step: string; seconds: number }>(
    504,
    ({ step, seconds }) => `The step ${step} took longer than its limit of ${seconds} s and was stopped.`,
    () => "Make it faster, or raise its limit (limits in sluice.yml, see docs/sluice-yml.md).",
  ),
  "instance-died": entry<{ instance: string; status: string; remark: string; log: string }>(
    422,
    ({ instance, status, remark, log }) =>
      `${instance} ended (${status}) before it was ready.${remark === "" ? "" : ` ${remark}`}${lastLines(log)}`,
    () => "Fix the problem in its log. To reproduce it, start the app with `PORT=3000` set, as Sluice does.",
  ),
  "instance-wrong-port": entry<{ instance: string; expected: string; listens: string; log: string }>(
    422,
    ({ instance, expected, listens, log }) =>
      `${instance} listens on ${listens} instead of ${expected}.${lastLines(log)}`,
    () =>
      "Listen on the port in the environment variable PORT (process.env.PORT), at 127.0.0.1 or all addresses.",
  ),
  "health-failed": entry<{ instance: string; url: string; result: string; body: string; log: string }>(
    422,
    ({ instance, url, result, body, log }) =>
      `${instance} is not healthy: GET ${url} ${result}.${body === "" ? "" : `\nIts answer: ${body}`}${lastLines(log)}`,
    () => "Fix the answer at that path, or choose another path in app.json (healthchecks.web[].path).",
  ),
  "instance-refused": entry<{ instance: string; refusals: string }>(
    503,
    ({ instance, refusals }) => `No host could start ${instance}. ${printable(refusals)}`,
    () =>
      "Look at Docker on that host (`journalctl --unit docker`): is its disk full? Does it reach Sluice's registry, and trust its certificate?",
    true,
  ),
  "instance-unreachable": entry<{ instance: string; log: string }>(
    422,
    ({ instance, log }) =>
      `${instance} is not healthy: from outside, nothing listens at its PORT.${lastLines(log)}`,
    () =>
      "Let the app listen at PORT on every address (0.0.0.0). On 127.0.0.1, other machines do not reach it.",
  ),
  "no-free-port": entry<{ first: number; last: number }>(
    503,
    ({ first, last }) => `No port between ${first} and ${last} is free for an instance.`,
    () => "Stop the programs that use them, or widen instances.ports in sluice.yml.",
  ),
} as const;

function lastLines(log: string): string {
  return log === "" ? "\nIt wrote nothing to its log." : `\nIts last lines:\n${log}`;
}
