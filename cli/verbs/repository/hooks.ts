import { join } from "node:path";
import type { Command } from "commander";
import type { Context } from "../../start/context.js";

/** `sluice hooks install` */
export function hooksVerb(command: Command, context: () => Promise<Context>): void {
  command
    .command("install")
    .description("run lint and tests on the staged files before each commit in this clone")
    .action(async () => install(await context()));
}

async function install(context: Context): Promise<void> {
  const { installHooks } = await import("../../install-hooks.js");
  const { path, chained, state } = await installHooks({
    directory: context.cwd(),
    hookSource: join(context.installation, "hooks/pre-commit"),
  });
  context.print(`${path}: ${state}${chained ? "; the hook that was there before runs first" : ""}`);
  context.print(
    "Lint and tests now run on the staged files before each commit (git commit --no-verify skips them).",
  );
}
