import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { AppError } from "../../../core/errors/app-error.js";
import { systemClock } from "../../../core/clock.js";
import { basicInventory } from "../../../monitor/sampling/inventory.js";
import { testNotice } from "../../../monitor/notices/test-notice.js";
import { AddressPolicy } from "../../../core/network/address-policy.js";
import { openSenders } from "../../../monitor/notices/senders/open-senders.js";
import type { Sender } from "../../../monitor/notices/senders/sender.js";
import { controlUrl } from "../../../server/releases/public-url.js";
import type { Context } from "../../start/context.js";

const NAMES: Readonly<Record<Sender["kind"], string>> = {
  email: "Mail",
  webhook: "Webhook",
  slack: "Slack",
};
/** Longer than any sender waits. */
const TIMEOUT_MS = 120_000;

/** `sluice alerts test`: from here, with this machine's settings. Nothing else of Sluice has to run. */
export async function testAlerts(context: Context): Promise<void> {
  const { settings } = context;
  const senders = openSenders(
    settings.monitor,
    controlUrl(settings),
    systemClock,
    new AddressPolicy(settings.network.allow),
  );
  if (senders.length === 0) throw new AppError("senders-none", { file: context.home.settings() });
  const problems: string[] = [];
  for (const sender of senders) problems.push(...(await testSender(context, sender)));
  if (problems.length > 0) throw new AppError("alert-test-failed", { problems });
}

/** Returns what went wrong. */
async function testSender(context: Context, sender: Sender): Promise<string[]> {
  const { kind, by, to } = sender;
  const problems: string[] = [];
  context.print(`-----> ${NAMES[kind]}, by ${by}`);
  for (const recipient of to) {
    const { notice, facts } = testNotice(
      `test-${randomBytes(4).toString("hex")}`,
      thisHost(context.settings.monitor.host),
      systemClock.now(),
    );
    try {
      await sender.send(notice, facts, recipient, AbortSignal.timeout(TIMEOUT_MS));
      context.print(`       ${recipient}: accepted`);
    } catch (error) {
      context.print(`       ${recipient}: failed`);
      problems.push(error instanceof Error ? error.message : String(error));
    }
  }
  return problems;
}

function thisHost(name = hostname()): Parameters<typeof testNotice>[1] {
  return {
    v: 1,
    id: name,
    roles: [],
    startedAt: new Date(systemClock.now()).toISOString(),
    inventory: basicInventory(),
  };
}
