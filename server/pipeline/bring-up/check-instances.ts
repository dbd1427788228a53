import { AppError } from "../../../core/errors/app-error.js";
import { abortReason } from "../../../core/clock.js";
import { addressVariable, parseAddress, type Address } from "../../../core/instances/address.js";
import { instanceName } from "../../../core/instances/instance-id.js";
import type { HealthCheck } from "../../../core/records/releases/health-check.js";
import type { InstanceRecord } from "../../../core/records/releases/release-record.js";
import { manifestOf } from "../../builds/manifest/manifest-of.js";
import { unlessUnavailable } from "../../engines/unless-unavailable.js";
import type { ReleaseWork } from "../step.js";
import { lastLines, refuseIfEnded } from "./refuse-if-ended.js";
import { probe, type Probe, type ProbeAnswer } from "./probe.js";

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
const OWN_LISTENER_MS = 2000;

/**
 * Checks from outside that these instances are healthy; fresh ones after the delay that a check gives them. Returns them
 * with the addresses at which they were: one may have moved meanwhile. Throws why one is not healthy.
 */
export async function checkInstances(
  work: ReleaseWork,
  instances: readonly InstanceRecord[],
  { signal, areFresh }: { readonly signal: AbortSignal; readonly areFresh: boolean },
): Promise<InstanceRecord[]> {
  if (instances.length === 0) return [];
  const { healthChecks } = await manifestOf(work.tools, work.record);
  const own = areFresh ? healthChecks : healthChecks.map((check) => ({ ...check, initialDelay: 0 }));
  const checks = own.length === 0 ? [DEFAULT_CHECK] : own;
  work.out.heading(`Health: ${instances.map(instanceName).join(", ")}`);
  return Promise.all(instances.map(async (instance) => checkInstance(work, instance, checks, signal)));
}

async function checkInstance(
  work: ReleaseWork,
  instance: InstanceRecord,
  checks: readonly HealthCheck[],
  signal: AbortSignal,
): Promise<InstanceRecord> {
  if (instance.address === undefined) {
    await refuseIfEnded(work, instance);
    return instance;
  }
  let { address } = instance;
  for (const check of checks) address = await passes(work, instance, address, check, signal);
  await refuseForeignListener(work, instance, parseAddress(address), signal);
  return { ...instance, address };
}

/**
 * Repeats a check until it passes or its attempts are used up. That nobody listens yet does not use one up, but time.
 * Returns the address at which it passed.
 */
async function passes(
  work: ReleaseWork,
  instance: InstanceRecord,
  known: string,
  check: HealthCheck,
  signal: AbortSignal,
): Promise<string> {
  const { clock, settings } = work.tools;
  await clock.sleep(check.initialDelay * 1000, signal);
  const deadline = clock.now() + check.attempts * (check.timeout + check.wait) * 1000;
  let text = known;
  for (let attempt = 1; ;) {
    const address = parseAddress(text);
    const result = await probe(address, check.path, `${work.app.name}.${settings.domain}`, check, signal);
    if (signal.aborted) throw abortReason(signal);
    const problem = problemOf(result, check);
    if (problem === undefined) return text;
    const state = await refuseIfEnded(work, instance);
    if (state?.address !== undefined && state.address !== text) {
      text = state.address;
      continue;
    }
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

/** Another process may have taken the port first and answered instead; then the instance ends when it cannot listen. */
async function refuseForeignListener(
  work: ReleaseWork,
  instance: InstanceRecord,
  address: Address,
  signal: AbortSignal,
): Promise<void> {
  if (address.kind === "socket") return;
  const { clock, engine } = work.tools;
  const deadline = clock.now() + OWN_LISTENER_MS;
  // A process that listens from a session of its own is not found; after a while it is accepted.
  while (clock.now() < deadline) {
    const listens = (await unlessUnavailable(engine.listening(instance.id))) ?? [];
    await refuseIfEnded(work, instance);
    if (listens.some((listener) => listener.endsWith(`:${address.port}`))) return;
    await clock.sleep(POLL_MS, signal);
  }
}

async function failure(
  { tools }: ReleaseWork,
  instance: InstanceRecord,
  address: Address,
  check: HealthCheck,
  problem: string,
  result: Probe,
): Promise<AppError> {
  const log = await lastLines(tools.logs, instance.id);
  const listens = ((await unlessUnavailable(tools.engine.listening(instance.id))) ?? []).join(", ");
  if (result.kind === "refused" && listens !== "") {
    return new AppError("instance-wrong-port", {
      instance: instanceName(instance),
      expected: expectation(address),
      listens,
      log,
    });
  }
  if (result.kind === "refused" && tools.images !== undefined)
    return new AppError("instance-unreachable", { instance: instanceName(instance), log });
  return new AppError("health-failed", {
    instance: instanceName(instance),
    url: check.path,
    result: result.kind === "refused" ? `found nothing listening at ${expectation(address)}` : problem,
    body: result.kind === "answered" ? excerpt(result.answer) : "",
    log,
  });
}

function expectation(address: Address): string {
  const [[name, value] = []] = Object.entries(addressVariable(address));
  return `${name}=${value}`;
}

function excerpt({ body }: ProbeAnswer): string {
  return body.slice(0, 200).trim();
}
