import { AppError } from "../../../core/errors/app-error.js";
import { abortReason } from "../../../core/clock.js";
import type { InstanceRecord } from "../../../core/records/releases/release-record.js";
import { withoutUnvisited, withRelease } from "../../routes/route-changes.js";
import type { HealthCheck } from "../../builds/manifest/app-json.js";
import { readManifest } from "../../builds/manifest/manifest.js";
import { probe, type Probe, type ProbeAnswer } from "../probe.js";
import type { ReleaseWork, Step } from "../step.js";

/** Without a check in app.json: GET / must answer below 500. */
const DEFAULT_CHECK: HealthCheck = {
  name: "default check",
  type: "startup",
  path: "/",
  attempts: 3,
  timeout: 5,
  wait: 5,
  initialDelay: 0,
  content: undefined,
  httpHeaders: [],
};
const POLL_MS = 10;
const LOG_LINES = 20;
const OWN_LISTENER_MS = 2000;

/** Every instance answers its checks, from outside; then the release can be looked at under `vN.APP.DOMAIN`. */
export const health: Step = {
  name: "health check",
  reaches: "healthy",
  timeoutMs: ({ limits }) => limits.releaseSeconds * 1000,
  run: async (work, signal) => {
    const { tools, app } = work;
    await checkInstances(work, signal);
    await tools.routes.update(app.name, (table) => withRelease(table, work.record, tools.clock.now()));
    return undefined;
  },
  undo: async (work) => {
    const { tools, app, record } = work;
    const before = { isRouted: false };
    const revision = await tools.routes.update(app.name, (table) => {
      before.isRouted = table.releases.some(({ number }) => number === record.number);
      return withoutUnvisited(table, record.number);
    });
    if (before.isRouted) work.goneSince = revision;
  },
};

/** All instances of a release's record answer their checks, after the delay that a new one has. Throws why one does not. */
export async function checkInstances(
  work: ReleaseWork,
  signal: AbortSignal,
  { areNew = true } = {},
): Promise<void> {
  const { tools, record, app } = work;
  const tree = tools.home.tree(app.name, record.number);
  const { healthChecks } = await readManifest(tree, tools.settings.instances.memoryMegabytes);
  const own = areNew ? healthChecks : healthChecks.map((check) => ({ ...check, initialDelay: 0 }));
  const checks = own.length === 0 ? [DEFAULT_CHECK] : own;
  if (record.instances.length === 0) return;
  work.out.heading(
    `Health: ${record.instances.map(({ process, index }) => `${process}.${index}`).join(", ")}`,
  );
  await Promise.all(record.instances.map(async (instance) => checkInstance(work, instance, checks, signal)));
}

async function checkInstance(
  work: ReleaseWork,
  instance: InstanceRecord,
  checks: readonly HealthCheck[],
  signal: AbortSignal,
): Promise<void> {
  if (instance.address === undefined) {
    await refuseIfEnded(work, instance);
    return;
  }
  for (const check of checks) await passes(work, instance, instance.address, check, signal);
  await refuseForeignListener(work, instance, instance.address, signal);
}

/** Repeats a check until it passes or its attempts are used up. That nobody listens yet does not use one up, but time. */
async function passes(
  work: ReleaseWork,
  instance: InstanceRecord,
  address: string,
  check: HealthCheck,
  signal: AbortSignal,
): Promise<void> {
  const { clock, settings } = work.tools;
  await clock.sleep(check.initialDelay * 1000, signal);
  const deadline = clock.now() + check.attempts * (check.timeout + check.wait) * 1000;
  for (let attempt = 1; ;) {
    const result = await probe(address, check.path, `${work.app.name}.${settings.domain}`, check, signal);
    if (signal.aborted) throw abortReason(signal);
    const problem = problemOf(result, check);
    if (problem === undefined) return;
    await refuseIfEnded(work, instance);
    if (result.kind !== "refused" && attempt++ >= check.attempts)
      throw await failure(work, instance, address, check, problem, result);
    if (clock.now() >= deadline) throw await failure(work, instance, address, check, problem, result);
    await clock.sleep(result.kind === "refused" ? POLL_MS : check.wait * 1000, signal);
  }
}

/** What is wrong with an answer; undefined when nothing is. */
function problemOf(result: Probe, check: HealthCheck): string | undefined {
  if (result.kind !== "answered") return result.reason;
  const { status, body } = result.answer;
  if (check === DEFAULT_CHECK) return status < 500 ? undefined : `answered ${status}`;
  if (status < 200 || status >= 400) return `answered ${status}`;
  if (check.content !== undefined && !body.includes(check.content))
    return `answered ${status}, but without "${check.content}"`;
  return undefined;
}

/** Somebody else may have taken the port first and answered in its place; then the instance ends when it cannot listen. */
async function refuseForeignListener(
  work: ReleaseWork,
  instance: InstanceRecord,
  address: string,
  signal: AbortSignal,
): Promise<void> {
  const { clock, engine } = work.tools;
  const port = address.slice(address.lastIndexOf(":"));
  const deadline = clock.now() + OWN_LISTENER_MS;
  // A process that listens from a session of its own is not found; it is believed after a while.
  while (!address.startsWith("unix@") && clock.now() < deadline) {
    const listens = await engine.listening(instance.id);
    await refuseIfEnded(work, instance);
    if (listens.some((listener) => listener.endsWith(port))) return;
    await clock.sleep(POLL_MS, signal);
  }
}

async function refuseIfEnded({ tools, endsBefore }: ReleaseWork, instance: InstanceRecord): Promise<void> {
  const state = await tools.engine.state(instance.id);
  if (state === undefined || state.ends <= (endsBefore.get(instance.id) ?? 0)) return;
  throw new AppError("instance-died", {
    instance: `${instance.process}.${instance.index}`,
    status: state.lastEnd ?? "unknown",
    log: await lastLines(tools.engine, instance.id),
  });
}

async function failure(
  { tools }: ReleaseWork,
  instance: InstanceRecord,
  address: string,
  check: HealthCheck,
  problem: string,
  result: Probe,
): Promise<AppError> {
  const name = `${instance.process}.${instance.index}`;
  const log = await lastLines(tools.engine, instance.id);
  const listens = (await tools.engine.listening(instance.id)).join(", ");
  if (result.kind === "refused" && listens !== "") {
    return new AppError("instance-wrong-port", {
      instance: name,
      expected: expectation(address),
      listens,
      log,
    });
  }
  return new AppError("health-failed", {
    instance: name,
    url: check.path,
    result: result.kind === "refused" ? `found nobody listening at ${expectation(address)}` : problem,
    body: result.kind === "answered" ? excerpt(result.answer) : "",
    log,
  });
}

function expectation(address: string): string {
  return address.startsWith("unix@")
    ? `SOCKET=${address.slice("unix@".length)}`
    : `PORT=${address.split(":")[1] ?? ""}`;
}

function excerpt({ body }: ProbeAnswer): string {
  return body.slice(0, 200).trim();
}

async function lastLines(engine: ReleaseWork["tools"]["engine"], id: string): Promise<string> {
  const lines: string[] = [];
  for await (const { text } of engine.logs(id, {
    lines: LOG_LINES,
    follow: false,
    signal: new AbortController().signal,
  }))
    lines.push(`  ${text}`);
  return lines.join("\n");
}
