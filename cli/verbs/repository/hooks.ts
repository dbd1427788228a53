import { join } from "node:path";
import type { Command } from "commander";
import type { Context } from "../../start/context.js";

/** `sluice hooks install` */
export function hooksVerb(command: Command, context: () => Promise<Context>): void {
  command
    .command("install")
    .description("run lint and tests on what is staged before each commit of this clone")
    .action(async () => install(await context()));
}

async function install(context: Context): Promise<void> {
  const { installHooks } = await import("../../install-hooks.js");
  const { path, chained, state } = await installHooks({
    directory: context.cwd(),
    hookSource: join(context.installation, "hooks/pre-commit"),
  });
  context.print(`${path}: ${state}${chained ? "; the hook that stood there runs first" : ""}`);
  context.print("Each commit now runs lint and tests on what is staged (git commit --no-verify skips them).");
}
