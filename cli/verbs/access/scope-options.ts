import { Option, type Command } from "commander";
import type { Right, Scope } from "../../../core/api/access/scope.js";

export interface ScopeOptions<May extends Right> {
  readonly app?: string[];
  readonly may: May;
  readonly expires?: string;
}

/** `--app`, `--may` and `--expires` of a new token or key. */
export function addScopeOptions(command: Command, rights: readonly Right[]): Command {
  return command
    .option("--app <app...>", "for these apps only (default: for all, later ones too)")
    .addOption(new Option("--may <right>", "what it allows").choices(rights).default("push"))
    .option("--expires <time>", "when it ends: 12h, 90d, 4w (default: when it is removed)");
}

/** What of a request's body the options say. */
export function scopeBody<May extends Right>({
  app,
  may,
  expires,
}: ScopeOptions<May>): {
  apps: string[] | "all";
  may: May;
  expires?: string;
} {
  return { apps: app ?? "all", may, ...(expires === undefined ? {} : { expires }) };
}

interface Shown extends Scope {
  readonly expiresAt: string | null;
  readonly unscoped: boolean;
}

/** The cells of a table: apps, right, end. */
export function scopeCells({ apps, may, expiresAt, unscoped }: Shown): [string, string, string] {
  const right = unscoped ? `${may} (from before scopes)` : may;
  return [
    apps === "all" ? "all" : apps.join(","),
    right,
    expiresAt === null ? "never" : expiresAt.slice(0, 10),
  ];
}
