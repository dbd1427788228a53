import type { z } from "zod";
import { AppError, isAppError } from "../errors/app-error.js";
import type { SecretBox } from "../secrets.js";
import { parseRecord } from "./parse-record.js";

/** A record as JSON text whose last member is `mac`, and the text that this authenticates. */
const SIGNED = /^(\{[^]*),"mac":"([0-9a-f]{64})"\}$/;

/**
 * The text of a record that grants rights, with a signature under the state folder's key: whoever can write
 * to Redis cannot make one. `key` is where it is kept, and bound to it.
 */
export function signRecord(box: SecretBox, record: object, key: string): string {
  const text = JSON.stringify(record);
  return `${text.slice(0, -1)},"mac":"${box.mac(text, key)}"}`;
}

/** What `signRecord` has made. Throws `record-forged` when it was not made here or for this place, `record-unreadable`. */
export function parseSigned<Schema extends z.ZodType>(
  box: SecretBox,
  schema: Schema,
  text: string,
  key: string,
): z.infer<Schema> {
  const [, body, mac = ""] = SIGNED.exec(text) ?? [];
  if (body === undefined || !box.isMac(mac, `${body}}`, key)) throw unsigned(text, key);
  return parseRecord(schema, `${body}}`, key);
}

/** The same; undefined for one that is forged. It does not keep the others from being used. */
export function parseIfSigned<Schema extends z.ZodType>(
  box: SecretBox,
  schema: Schema,
  text: string,
  key: string,
): z.infer<Schema> | undefined {
  try {
    return parseSigned(box, schema, text, key);
  } catch (error) {
    if (isAppError(error, "record-forged")) return undefined;
    throw error;
  }
}

export function isSigned(text: string): boolean {
  return SIGNED.test(text);
}

/** What is no JSON at all is damaged. */
function unsigned(text: string, key: string): AppError {
  try {
    JSON.parse(text);
  } catch (error) {
    return new AppError("record-unreadable", { key }, { cause: error });
  }
  return new AppError("record-forged", { key });
}
