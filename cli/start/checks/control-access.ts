import { isIPv4 } from "node:net";
import { AppError } from "../../../core/errors/app-error.js";
import type { Context } from "../context.js";

/** One that a person has chosen can be guessed if it is shorter, or all of the same few characters. */
const LEAST = { characters: 24, different: 8 };

/** Throws `control-insecure`. */
export function checkControlAddress({ settings }: Pick<Context, "settings">): void {
  const { controlBind, insecureControl, control } = settings;
  if (!insecureControl && control.domain === undefined && !isLoopback(controlBind))
    throw new AppError("control-insecure", {
      setting: "controlBind (SLUICE_CONTROL_BIND)",
      address: controlBind,
    });
}

/** `where`: the variable or file that it is in. Throws `token-weak`. */
export function checkAdminToken(token: string, where: string): void {
  const { characters: least, different } = LEAST;
  if (token.length < least || new Set(token).size < different)
    throw new AppError("token-weak", { where, least, different });
}

/** A name other than `localhost` may stand for any address. */
export function isLoopback(address: string): boolean {
  return address === "localhost" || address === "::1" || (isIPv4(address) && address.startsWith("127."));
}
