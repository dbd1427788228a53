import type { Command } from "commander";
import { AppError } from "../../../core/errors/app-error.js";
import type { Context } from "../../start/context.js";

/** `sluice doctor` */
export function doctorVerb(command: Command, context: () => Promise<Context>): void {
  command.action(async () => doctor(await context()));
}

async function doctor(context: Context): Promise<void> {
  // Loaded here, so that no other command waits for it.
  const { checkMachine } = await import("./check-machine.js");
  const findings = await checkMachine(context);
  for (const { ok, what, fix } of findings) {
    context.print(`${ok ? "ok  " : "  ! "} ${what}`);
    if (!ok && fix !== undefined) context.print(`      ${fix}`);
  }
  const bad = findings.filter(({ ok }) => !ok).length;
  if (bad > 0) throw new AppError("machine-unfit", { count: bad });
}
