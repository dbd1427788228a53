import { Command } from "commander";
import { nearestWord } from "../core/nearest-word.js";
import { installedVersion, makeContext, type Context, type Terminal } from "./start/context.js";
import { VERBS } from "./verbs/verbs.js";

/**
 * `sluice` and its verbs. Nothing happens before the arguments are parsed. `called`: the first argument. Other verbs
 * are known by name only, unless the list of commands may be shown, with the arguments of each.
 */
export async function program(terminal: Terminal, called: string | undefined): Promise<Command> {
  const sluice = new Command("sluice")
    .description("git push in, a running release out, without a dropped request")
    .version(await installedVersion(), "--version", "print the version")
    .exitOverride()
    .configureHelp({ sortSubcommands: false })
    .showHelpAfterError("(sluice --help lists the commands)");
  const context = async (): Promise<Context> => makeContext(terminal);
  const isListShown = called !== "--version" && !VERBS.some(([name]) => name === called);
  for (const [name, description, load] of VERBS) {
    const command = sluice.command(name).description(description);
    if (isListShown || name === called) (await load())(command, context);
  }
  // Instead of commander's own suggestion, which takes `deploy` for `destroy`.
  sluice.on("command:*", ([word = ""]: string[]) => {
    const near = nearestWord(
      word,
      VERBS.map(([name]) => name),
    );
    const suggestion = near === undefined ? "" : `\n(Did you mean ${near}?)`;
    sluice.error(`error: unknown command '${word}'${suggestion}`, { code: "commander.unknownCommand" });
  });
  return sluice;
}
