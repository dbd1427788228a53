import { z } from "zod";

/** Each includes those before it. docs/access.md says what each allows. */
export const RIGHTS = ["read", "push", "operate", "admin"] as const;
export type Right = (typeof RIGHTS)[number];

/** An SSH key is for Git alone. */
export const KEY_RIGHTS = ["read", "push"] as const satisfies readonly Right[];

const MOST_APPS = 100;

/** Every app, later ones included; or only these, whether they exist yet or not. */
export const scopedAppsSchema = z.union([
  z.literal("all"),
  z
    .array(z.string().regex(/^[a-z][a-z0-9-]{0,39}$/, "must be an app's name"))
    .min(1)
    .max(MOST_APPS),
]);

/** What a token or an SSH key allows, and for which apps. */
export const scopeSchema = z.object({ apps: scopedAppsSchema, may: z.enum(RIGHTS) });

export type Scope = z.infer<typeof scopeSchema>;

/** `90d`: hours, days or weeks from now. */
export const lifetimeSchema = z
  .string()
  .regex(/^[1-9]\d{0,3}[hdw]$/, "must be hours, days or weeks, like 12h, 90d or 4w");

const HOUR_MS = 3_600_000;
const UNIT_MS = { h: HOUR_MS, d: 24 * HOUR_MS, w: 7 * 24 * HOUR_MS } as const;

/** Of a text that `lifetimeSchema` accepts. */
export function lifetimeMs(text: string): number {
  const unit = text.endsWith("h") ? "h" : text.endsWith("d") ? "d" : "w";
  return Number(text.slice(0, -1)) * UNIT_MS[unit];
}

/** Whether a right includes another. */
export function includesRight(held: Right, needed: Right): boolean {
  return RIGHTS.indexOf(held) >= RIGHTS.indexOf(needed);
}

/** Whether an app is in the scope. */
export function coversApp({ apps }: Pick<Scope, "apps">, app: string): boolean {
  return apps === "all" || apps.includes(app);
}
