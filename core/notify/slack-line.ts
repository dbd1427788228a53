import type { Message } from "./message.js";

/** The message of Slack's incoming webhooks, of one line: `parts` with a space between them. Pure. */
export function slackLine(parts: readonly string[]): Message {
  const line = parts
    .map((part) => part.replace(/[\p{Cc}\s]+/gu, " ").trim())
    .filter((part) => part !== "")
    .join(" ");
  return { headers: { "content-type": "application/json" }, body: JSON.stringify({ text: escaped(line) }) };
}

/** Slack's three control characters (docs.slack.dev, "Formatting message text"): nothing becomes a link or a mention. */
function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
