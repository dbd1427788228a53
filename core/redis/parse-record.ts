import type { z } from "zod";
import { AppError } from "../errors/app-error.js";

/** A record that Redis keeps as JSON; `key` is where it is kept, for people. Throws `record-unreadable`. */
export function parseRecord<Schema extends z.ZodType>(
  schema: Schema,
  text: string,
  key: string,
): z.infer<Schema> {
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    throw new AppError("record-unreadable", { key }, { cause: error });
  }
}
